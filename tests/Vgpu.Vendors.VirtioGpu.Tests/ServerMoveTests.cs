// The move itself, through the protocol: two servers, and a client that takes the device from one to the other.
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Migration;
using Vgpu.VfioUser;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class ServerMoveTests
{
    private const int Config = VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX;
    private const int CommonLength = 56;
    private const int Side = StateTests.Side;

    [Fact]
    public void A_GPU_moves_to_another_server_between_two_reads_of_its_client()
    {
        using var first = new ServedGpu();
        using var from = new GpuGuest(first);
        StateTests.Draw(from);
        byte[] uuid = StateTests.Uuid(from, 1);
        byte[] config = first.Remote.ReadAll(Config, 0x100);
        byte[] registers = first.Remote.ReadAll(0, CommonLength);
        first.Remote.Client.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP);

        // A command that no server has seen, but its kick.
        int answered = from.Answered;
        new Random(3).NextBytes(from.Ram(GpuGuest.PictureOffset, Side * Side * 4));
        from.Post(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, new VirtioGpuTransferToHost2D { ResourceId = 1, R = R(0, 0, Side, Side) });

        byte[] state = first.Remote.Save();
        using var second = new ServedGpu();
        second.Remote.Load(state);
        using var to = new GpuGuest(second, from);
        Assert.Equal(config, second.Remote.ReadAll(Config, 0x100));
        Assert.Equal(registers, second.Remote.ReadAll(0, CommonLength));
        Assert.Equal(answered, to.Answered);
        StateTests.AssertSameScreens(from, to);

        second.Remote.Run();
        to.Await(answered + 1);
        Assert.Equal(registers, second.Remote.ReadAll(0, CommonLength));
        Assert.Equal(OK, to.Flush(1, R(0, 0, Side, Side)));
        Assert.Equal(answered + 2, to.Answered);
        StateTests.AssertShowsRam(to, 0, GpuGuest.PictureOffset, new Rect(8, 4, 40, 50));
        Assert.Equal(uuid, StateTests.Uuid(to, 1));

        // A monitor's change is heard through the second's interrupt.
        to.Head.RequestMode(new DisplayMode(1024, 768));
        Assert.True(to.ConfigInterrupt.Wait(30_000));
        Assert.Equal(VIRTIO_GPU_EVENT_DISPLAY, to.ReadConfig(0));
    }

    [Fact]
    public void It_moves_again_and_again_and_loses_nothing()
    {
        var servers = new List<ServedGpu> { new() };
        var drivers = new List<GpuGuest> { new(servers[0]) };
        StateTests.Draw(drivers[0]);
        for (int i = 0; i < 10; i++)
        {
            byte[] state = servers[i].Remote.Save();
            servers.Add(new ServedGpu());
            servers[i + 1].Remote.Load(state);
            drivers.Add(new GpuGuest(servers[i + 1], drivers[i]));
            servers[i + 1].Remote.Run();
            StateTests.AssertSameScreens(drivers[i], drivers[i + 1]);
            new Random(i).NextBytes(drivers[0].Ram(GpuGuest.PictureOffset, Side * Side * 4));
            Assert.Equal(OK, drivers[i + 1].Transfer(1, R(0, 0, Side, Side)));
            Assert.Equal(OK, drivers[i + 1].Flush(1, R(0, 0, Side, Side)));
            StateTests.AssertShowsRam(drivers[i + 1], 0, GpuGuest.PictureOffset, new Rect(8, 4, 40, 50));
        }

        for (int i = drivers.Count - 1; i >= 0; i--)
        {
            drivers[i].Dispose();
            servers[i].Dispose();
        }
    }

    [Fact]
    public void A_move_that_is_called_off_goes_on_where_it_was()
    {
        using var served = new ServedGpu();
        using var guest = new GpuGuest(served);
        StateTests.Draw(guest);
        _ = served.Remote.Save();
        int answered = guest.Answered;
        guest.Post(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, new VirtioGpuTransferToHost2D { ResourceId = 1, R = R(0, 0, Side, Side) });
        served.Remote.Run();
        guest.Await(answered + 1);
        Assert.Equal(OK, guest.Flush(1, R(0, 0, Side, Side)));
        Assert.Equal(answered + 2, guest.Answered);
    }

    [Fact]
    public void A_state_that_is_none_is_EINVAL_and_a_reset_leads_out()
    {
        using var first = new ServedGpu();
        using var from = new GpuGuest(first);
        StateTests.Draw(from);
        byte[] state = first.Remote.Save();
        using var second = new ServedGpu();
        using var other = new ServedGpu(heads: 3);
        var e = Assert.Throws<VfioUserException>(() => other.Remote.Load(state));
        Assert.Equal(Errno.EINVAL, e.Errno);
        e = Assert.Throws<VfioUserException>(() => second.Remote.Load(state.AsSpan(0, state.Length / 2)));
        Assert.Equal(Errno.EINVAL, e.Errno);
        Assert.Equal(VfioDeviceState.VFIO_DEVICE_STATE_ERROR, second.Remote.Client.GetDeviceState());
        Assert.Equal((0UL, 0), (second.Device.VideoMemoryUsed, second.Device.ResourceCount));
        second.Remote.Reset();
        second.Remote.Load(state);
        using var to = new GpuGuest(second, from);
        second.Remote.Run();
        StateTests.AssertSameScreens(from, to);
    }
}
