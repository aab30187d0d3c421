using Vgpu.Linux;
using Vgpu.Vfio.Migration;
using Vgpu.VfioUser.Messages;
using static Vgpu.Vfio.Migration.VfioDeviceState;
using static Vgpu.VfioUser.Messages.VfioDeviceFeature;
using static Vgpu.VfioUser.Messages.VfioDeviceFeatureFlags;

namespace Vgpu.VfioUser.Tests;

// VFIO_USER_DEVICE_FEATURE's migration states, and a device's state from one server to another.
public sealed class MigrationTests : IDisposable
{
    private static readonly VfioDeviceState[] _all =
        [VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_RESUMING, VFIO_DEVICE_STATE_PRE_COPY];

    private readonly ServedDevice _source = new();
    private readonly VfioUserClient _client;

    public MigrationTests() => _client = _source.Negotiated();

    public void Dispose()
    {
        _client.Dispose();
        _source.Dispose();
    }

    [Fact]
    public void A_device_moves_to_another_server_between_two_reads()
    {
        var random = new Random(1);
        byte[] registers = new byte[4096];
        byte[] large = new byte[FakeDevice.LargeSize];
        random.NextBytes(registers);
        random.NextBytes(large);
        registers.CopyTo(_source.Device.Memory[FakeDevice.Registers], 0);
        large.CopyTo(_source.Device.Memory[FakeDevice.Large], 0);
        byte[] first = new byte[8];
        _client.RegionRead(FakeDevice.Registers, 0, first);

        using var destination = new ServedDevice();
        using VfioUserClient next = destination.Negotiated();
        _client.SetDeviceState(VFIO_DEVICE_STATE_STOP_COPY);
        next.SetDeviceState(VFIO_DEVICE_STATE_RESUMING);
        byte[] chunk = new byte[300_001];
        int read;
        do
        {
            read = _client.MigDataRead(chunk);
            if (read > 0)
            {
                next.MigDataWrite(chunk.AsSpan(0, read));
            }
        }
        while (read == chunk.Length);

        next.SetDeviceState(VFIO_DEVICE_STATE_RUNNING);
        byte[] second = new byte[8];
        next.RegionRead(FakeDevice.Registers, 8, second);

        Assert.Equal([.. first, .. second], registers[..16]);
        Assert.Equal(large, destination.Device.Memory[FakeDevice.Large]);
        Assert.Equal([false], _source.Device.Running);
        Assert.Equal([false, true], destination.Device.Running);
    }

    [Fact]
    public void What_the_device_can_do_is_said()
    {
        Assert.Equal(VfioMigrationFlags.VFIO_MIGRATION_STOP_COPY | VfioMigrationFlags.VFIO_MIGRATION_PRE_COPY, _client.GetMigration());
        Assert.Equal(VFIO_DEVICE_STATE_RUNNING, _client.GetDeviceState());
        Assert.True(_client.HasFeature(VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET));
        Assert.True(_client.HasFeature(VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, VFIO_DEVICE_FEATURE_GET));
        Assert.False(_client.HasFeature(VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET));
        Assert.False(_client.HasFeature((VfioDeviceFeature)3, VFIO_DEVICE_FEATURE_GET));
    }

    [Fact]
    public void Every_state_is_reached_from_every_other_but_for_one_arc()
    {
        foreach (VfioDeviceState from in _all)
        {
            foreach (VfioDeviceState to in _all)
            {
                _client.Reset();
                Go(from);
                if ((from, to) == (VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_PRE_COPY))
                {
                    Refused(Errno.EINVAL, () => _client.SetDeviceState(to));
                    Assert.Equal(from, _client.GetDeviceState());
                }
                else if (from == VFIO_DEVICE_STATE_RESUMING && to != from)
                {
                    // Nothing was written: no state to go on with, and only a reset leads out.
                    Refused(Errno.EINVAL, () => _client.SetDeviceState(to));
                    Assert.Equal(VFIO_DEVICE_STATE_ERROR, _client.GetDeviceState());
                    Refused(Errno.EINVAL, () => _client.SetDeviceState(VFIO_DEVICE_STATE_RUNNING));
                }
                else
                {
                    _client.SetDeviceState(to);
                    Assert.Equal(to, _client.GetDeviceState());
                }

                bool runs = _client.GetDeviceState() is VFIO_DEVICE_STATE_RUNNING or VFIO_DEVICE_STATE_PRE_COPY;
                Assert.Equal(runs, _source.Device.Migration.IsRunning);
                Assert.Equal(0, _client.RegionRead<byte>(FakeDevice.Registers, 0));
            }
        }
    }

    [Theory]
    [InlineData(VFIO_DEVICE_STATE_ERROR)]
    [InlineData(VFIO_DEVICE_STATE_RUNNING_P2P)]
    [InlineData(VFIO_DEVICE_STATE_PRE_COPY_P2P)]
    [InlineData((VfioDeviceState)8)]
    [InlineData((VfioDeviceState)uint.MaxValue)]
    public void There_is_no_way_to_such_a_state(VfioDeviceState state)
    {
        Refused(Errno.EINVAL, () => _client.SetDeviceState(state));
        Assert.Equal(VFIO_DEVICE_STATE_RUNNING, _client.GetDeviceState());
    }

    [Fact]
    public void A_device_that_can_not_be_moved_says_so()
    {
        _source.Device.CanMove = false;
        Assert.False(_client.HasFeature(VFIO_DEVICE_FEATURE_MIGRATION, VFIO_DEVICE_FEATURE_GET));
        Refused(Errno.ENOTTY, () => _client.GetMigration());
        Refused(Errno.ENOTTY, () => _client.GetDeviceState());
        Refused(Errno.ENOTTY, () => _client.SetDeviceState(VFIO_DEVICE_STATE_STOP));
        Refused(Errno.EINVAL, () => _client.MigDataRead(new byte[1]));
    }

    [Fact]
    public void Nothing_is_read_ahead_and_everything_once_the_device_has_stopped()
    {
        byte[] data = new byte[1 << 20];
        _client.SetDeviceState(VFIO_DEVICE_STATE_PRE_COPY);
        Assert.Equal(0, _client.MigDataRead(data));
        _client.SetDeviceState(VFIO_DEVICE_STATE_STOP_COPY);
        Assert.Equal(data.Length, _client.MigDataRead(data));
        _client.SetDeviceState(VFIO_DEVICE_STATE_RUNNING);
        Refused(Errno.EINVAL, () => _client.MigDataRead(data));
        Refused(Errno.EINVAL, () => _client.MigDataWrite([1]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(5000)]
    public void A_state_that_ends_too_early_is_refused_and_a_reset_leads_out(int length)
    {
        byte[] state = Saved();
        _client.SetDeviceState(VFIO_DEVICE_STATE_RESUMING);
        if (length > 0)
        {
            _client.MigDataWrite(state.AsSpan(0, length));
        }

        Refused(Errno.EINVAL, () => _client.SetDeviceState(VFIO_DEVICE_STATE_RUNNING));
        Assert.Equal(VFIO_DEVICE_STATE_ERROR, _client.GetDeviceState());
        _client.Reset();
        Assert.Equal(VFIO_DEVICE_STATE_RUNNING, _client.GetDeviceState());
        Assert.True(_source.Device.Migration.IsRunning);
    }

    [Fact]
    public void A_state_that_goes_on_too_long_is_refused_before_it_fills_the_memory()
    {
        byte[] state = new byte[1 << 20];
        _client.SetDeviceState(VFIO_DEVICE_STATE_RESUMING);
        for (int i = 0; i < 4; i++)
        {
            _client.MigDataWrite(state);
        }

        Refused(Errno.ENOSPC, () => _client.MigDataWrite(state));
        _client.MigDataWrite(state.AsSpan(0, 4096));
        Refused(Errno.EINVAL, () => _client.SetDeviceState(VFIO_DEVICE_STATE_STOP));
    }

    [Fact]
    public void A_client_that_leaves_a_stopped_device_leaves_a_running_one()
    {
        _client.SetDeviceState(VFIO_DEVICE_STATE_STOP_COPY);
        _client.Dispose();
        _source.Device.WaitForClose();
        using VfioUserClient next = _source.Negotiated();
        Assert.Equal(VFIO_DEVICE_STATE_RUNNING, next.GetDeviceState());
    }

    private static void Refused(Errno errno, Action action) => Assert.Equal(errno, Assert.Throws<VfioUserException>(action).Errno);

    private byte[] Saved()
    {
        byte[] state = new byte[8192];
        _client.SetDeviceState(VFIO_DEVICE_STATE_STOP_COPY);
        Assert.Equal(state.Length, _client.MigDataRead(state));
        _client.SetDeviceState(VFIO_DEVICE_STATE_STOP);
        return state;
    }

    private void Go(VfioDeviceState state)
    {
        if (state != VFIO_DEVICE_STATE_RUNNING)
        {
            _client.SetDeviceState(state);
        }
    }
}
