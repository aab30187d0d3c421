using System.Diagnostics;
using System.Globalization;
using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests.Resuming;

// Processes that serve one client, one after the other, each killed in the middle of whatever it was doing. The client sees
// none of it: each reply comes once, each request is carried out, and at most one a kill is carried out twice.
[Collection(nameof(Alone))]
public sealed class KillTests : IDisposable
{
    private const VfioIrqSetFlags EventfdTrigger = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;
    private const int MemorySize = 1 << 20;

    private readonly TemporaryFolder _folder = new();
    private readonly FileDescriptor _journal = ConnectionJournal.CreateFile();
    private readonly FileDescriptor _state = MemFd.Create("steady", SteadyDevice.StateLength);
    private readonly FileDescriptor _memory = MemFd.Create("guest", MemorySize);
    private readonly EventFd _eventfd = EventFd.Create();
    private readonly Random _random = new(1);
    private ulong _counter;
    private ulong _sequence;
    private ulong _skipped;
    private long _operations;
    private volatile bool _done;

    public void Dispose()
    {
        _journal.Dispose();
        _state.Dispose();
        _memory.Dispose();
        _eventfd.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_client_never_notices_that_its_server_is_killed() => Run(TimeSpan.FromSeconds(8));

    [Fact]
    [Trait("Length", "long")]
    public void A_client_never_notices_that_its_server_is_killed_thousands_of_times() => Run(TimeSpan.FromMinutes(5));

    private void Run(TimeSpan time)
    {
        using var control = UnixSocket.Listen(_folder.File("control"));
        string path = _folder.File("device");
        using var listener = UnixSocket.Listen(path);
        using var record = new ClientRecord();
        int kills = 0;
        Exception? killerFault = null;
        var killer = new Thread(() =>
        {
            try
            {
                kills = KillAgainAndAgain(control, listener, record);
            }
            catch (Exception e)
            {
                killerFault = e;
            }
        });
        killer.Start();
        using var client = new VfioUserClient(UnixSocket.Connect(path)) { TimeoutMilliseconds = 20_000 };
        _ = client.Negotiate();
        var memory = MemoryMapping.Share(_memory, 0, MemorySize, MemoryProtection.ReadWrite);
        try
        {
            long begun = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(begun) < time && killer.IsAlive)
            {
                Operate(client, memory);
                Interlocked.Increment(ref _operations);
            }
        }
        finally
        {
            _done = true;
            killer.Join();
            memory.Dispose();
        }

        Assert.Null(killerFault);
        Assert.InRange(kills, 1, int.MaxValue);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kills} kills, {_operations} operations, {_skipped} reads and writes carried out twice"));
        Assert.InRange(_skipped, 0u, (ulong)kills);
    }

    private int KillAgainAndAgain(UnixSocket control, UnixSocket listener, ClientRecord record)
    {
        string path = _folder.File("control");
        var random = new Random(2);
        int kills = 0;
        ServedProcess next = new(control, path);
        while (true)
        {
            ServedProcess current = next;
            current.Go(_journal, _state, listener.Descriptor, record.Client);
            var follower = new Thread(() => current.Follow(record));
            follower.Start();
            next = new ServedProcess(control, path);
            long until = Interlocked.Read(ref _operations) + random.Next(0, 200);
            SpinWait.SpinUntil(() => _done || Interlocked.Read(ref _operations) >= until);
            Thread.SpinWait(random.Next(0, 100_000));
            if (_done)
            {
                using (next)
                {
                    current.Dispose();
                    follower.Join();
                }

                return kills;
            }

            current.Kill();
            follower.Join();
            current.Dispose();
            kills++;
        }
    }

    private void Operate(VfioUserClient client, MemoryMapping memory)
    {
        switch (_random.Next(0, 9))
        {
            case 0:
                Count(client.RegionRead<ulong>(SteadyDevice.Registers, SteadyDevice.Counter));
                break;
            case 1:
                ReadMany(client, _random.Next(1, 60));
                break;
            case 2:
                WriteMany(client, _random.Next(1, 400));
                break;
            case 3:
                WriteMulti(client);
                break;
            case 4:
                WriteLong(client);
                break;
            case 5:
                Map(client, memory);
                break;
            case 6:
                Interrupt(client);
                break;
            case 7:
                using (FileDescriptor? file = client.GetRegionInfo(SteadyDevice.Mappable).File)
                {
                    Assert.Equal(_state.Inspect().Identity, file!.Inspect().Identity);
                }

                break;
            default:
                client.RegionWrite(SteadyDevice.Registers, SteadyDevice.Sequence, ++_sequence);
                break;
        }
    }

    // A read that a killed process carried out and could not commit is one number that nobody saw.
    private void Count(ulong value)
    {
        Assert.InRange(value, _counter + 1, _counter + 100);
        _skipped += value - _counter - 1;
        _counter = value;
    }

    private void ReadMany(VfioUserClient client, int count)
    {
        for (int i = 0; i < count; i++)
        {
            client.Send((ushort)i, VfioUserCommand.VFIO_USER_REGION_READ, Wire.Read(SteadyDevice.Registers, SteadyDevice.Counter, 8));
        }

        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> reply = client.Receive(out VfioUserHeader header);
            Assert.Equal((i, RegionAccess.Length + 8), (header.MessageId, reply.Length));
            Count(BitConverter.ToUInt64(reply[RegionAccess.Length..]));
        }
    }

    private void WriteMany(VfioUserClient client, int count)
    {
        for (int i = 0; i < count; i++)
        {
            client.RegionWritePosted(SteadyDevice.Registers, SteadyDevice.Sequence, BitConverter.GetBytes(++_sequence));
        }

        AssertSequence(client);
    }

    // Carried out twice as a whole, where it is: its numbers then come back, and are told apart by their count.
    private void WriteMulti(VfioUserClient client)
    {
        RegionWriteEntry entry = new() { Region = SteadyDevice.Registers, Offset = SteadyDevice.Sequence, Count = 8, Data = ++_sequence };
        Assert.Equal(1, client.RegionWriteMulti(entry));
        AssertSequence(client);
    }

    private void AssertSequence(VfioUserClient client)
    {
        Assert.Equal(_sequence, client.RegionRead<ulong>(SteadyDevice.Registers, SteadyDevice.Sequence));
        Assert.Equal(0u, client.RegionRead<ulong>(SteadyDevice.Registers, SteadyDevice.Errors));
    }

    private void WriteLong(VfioUserClient client)
    {
        byte[] data = new byte[_random.Next(1, 1 << 20)];
        _random.NextBytes(data);
        int offset = _random.Next(0, 1 << 20);
        client.RegionWritePosted(SteadyDevice.Large, (ulong)offset, data);
        byte[] read = new byte[data.Length];
        client.RegionRead(SteadyDevice.Large, (ulong)offset, read);
        Assert.True(data.AsSpan().SequenceEqual(read));
    }

    private void Map(VfioUserClient client, MemoryMapping memory)
    {
        ulong offset = (ulong)_random.Next(0, MemorySize / 4096) * 4096;
        ulong iova = (ulong)_random.Next(1, 1000) * MemorySize;
        ulong value = (ulong)_random.NextInt64();
        BitConverter.TryWriteBytes(memory.Span[(int)offset..], value);
        client.DmaMap(iova, 4096, IommuProtection.IOMMU_READ, _memory, offset);
        client.RegionWrite(SteadyDevice.Registers, SteadyDevice.Dma, iova);
        Assert.Equal(value, client.RegionRead<ulong>(SteadyDevice.Registers, SteadyDevice.Dma));
        client.DmaUnmap(iova, 4096);
        client.RegionWrite(SteadyDevice.Registers, SteadyDevice.Dma, iova);
        Assert.Equal(ulong.MaxValue, client.RegionRead<ulong>(SteadyDevice.Registers, SteadyDevice.Dma));
    }

    private void Interrupt(VfioUserClient client)
    {
        int vector = _random.Next(0, SteadyDevice.Vectors);
        _ = _eventfd.Take();
        client.SetIrqs(0, vector, 1, EventfdTrigger, [], _eventfd.Descriptor);
        client.RegionWrite(SteadyDevice.Registers, SteadyDevice.Fire, (ulong)vector);
        Assert.InRange(_eventfd.Take(), 1u, 2u);
        client.SetIrqs(0, vector, 1, EventfdTrigger);
        client.RegionWrite(SteadyDevice.Registers, SteadyDevice.Fire, (ulong)vector);
        Assert.Equal(0u, _eventfd.Take());
    }
}
