using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests.Resuming;

// A server that goes on where another one stopped, at each point where it can have stopped: told to, or in the middle.
[Collection(nameof(Alone))]
public sealed class ResumeTests : IDisposable
{
    private const VfioIrqSetFlags EventfdTrigger = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private readonly FileDescriptor _journal = ConnectionJournal.CreateFile();
    private readonly FileDescriptor _state = MemFd.Create("steady", SteadyDevice.StateLength);
    private readonly FileDescriptor _memory = MemFd.Create("guest", 1 << 20);
    private readonly UnixSocket _listener;
    private readonly ClientRecord _record = new();
    private readonly ListLogger _log = new();
    private readonly List<IDisposable> _owned = [];
    private readonly VfioUserClient _client;
    private Served _served;

    public ResumeTests()
    {
        _listener = UnixSocket.Listen(_folder.File("device"));
        _served = Serve(null);
        _client = VfioUserClient.Connect(_folder.File("device"));
        _ = _client.Negotiate();
    }

    public void Dispose()
    {
        _client.Dispose();
        _owned.Reverse();
        _owned.ForEach(owned => owned.Dispose());
        _record.Dispose();
        _listener.Dispose();
        _memory.Dispose();
        _state.Dispose();
        _journal.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_server_yields_and_the_next_one_goes_on()
    {
        using var eventfd = EventFd.Create();
        _client.DmaMap(0x10000, 4096, IommuProtection.IOMMU_READ, _memory);
        _client.SetIrqs(0, 1, 1, EventfdTrigger, [], eventfd.Descriptor);
        for (int i = 1; i <= 5; i++)
        {
            Assert.Equal((ulong)i, _client.RegionRead<ulong>(0, SteadyDevice.Counter));
            Assert.True(_served.Server.Yield(_soon));
            Assert.Equal((0, 1), (_served.Device.Closes, _served.Device.Iommu.MapCount));

            // Sent to nobody.
            _client.RegionWritePosted(0, SteadyDevice.Sequence, BitConverter.GetBytes((ulong)i));
            int restored = 0;
            _served = Serve(() => restored++);
            Assert.Equal(1, restored);
            Assert.Equal((ulong)i, _client.RegionRead<ulong>(0, SteadyDevice.Sequence));
            _client.RegionWrite(0, SteadyDevice.Fire, 1ul);
            Assert.Equal(1ul, eventfd.Take());
            _client.RegionWrite(0, SteadyDevice.Dma, 0x10000ul);
            Assert.Equal(0ul, _client.RegionRead<ulong>(0, SteadyDevice.Dma));
        }
    }

    [Fact]
    public void A_client_that_leaves_is_forgotten_and_the_next_one_begins()
    {
        Assert.Equal(1ul, _client.RegionRead<ulong>(0, SteadyDevice.Counter));
        Assert.True(_served.Server.Yield(_soon));
        _served = Serve(null);
        _client.Dispose();
        using VfioUserClient next = VfioUserClient.Connect(_folder.File("device"));
        _ = next.Negotiate();
        Assert.Equal(2ul, next.RegionRead<ulong>(0, SteadyDevice.Counter));
        Assert.Equal(1, _served.Device.Closes);
        Assert.True(_served.Server.Yield(_soon));
        _served = Serve(null);
        Assert.Equal(3ul, next.RegionRead<ulong>(0, SteadyDevice.Counter));
    }

    // The old server hangs where it would have been killed: it does nothing more until the test is over.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Killed_before_an_effect_or_after_it(bool after)
    {
        Stop(after);
        _client.RegionWritePosted(0, SteadyDevice.Sequence, BitConverter.GetBytes(1ul));
        _client.RegionWritePosted(0, SteadyDevice.Sequence, BitConverter.GetBytes(2ul));
        WaitUntilStopped();
        _served = Serve(null);
        Assert.Equal(2ul, _client.RegionRead<ulong>(0, SteadyDevice.Sequence));
        Assert.Equal((0ul, after ? 1ul : 0ul), (_served.Device.Register(SteadyDevice.Errors), _served.Device.Register(SteadyDevice.Repeats)));
    }

    [Fact]
    public void Killed_with_replies_that_are_due()
    {
        _served.Device.OnAccess = isAfter =>
        {
            if (isAfter && _served.Device.Register(SteadyDevice.Counter) == 4)
            {
                Hang();
            }
        };
        byte[] reads = [.. Enumerable.Range(1, 5).SelectMany(id => Wire.ReadMessage((ushort)id, 0, SteadyDevice.Counter, 8))];
        _client.SendRaw(reads);
        WaitUntilStopped();
        _served = Serve(null);
        foreach ((int id, ulong value) in ((int, ulong)[])[(1, 1), (2, 2), (3, 3), (4, 5), (5, 6)])
        {
            ReadOnlySpan<byte> reply = _client.Receive(out VfioUserHeader header);
            Assert.Equal((id, value), (header.MessageId, BitConverter.ToUInt64(reply[RegionAccess.Length..])));
        }

        Assert.Equal(7ul, _client.RegionRead<ulong>(0, SteadyDevice.Counter));
    }

    // As the kernel leaves it: some of the reply is gone, and its count stands in the record and not yet in the state.
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(40)]
    public void Killed_while_a_reply_went_out(int gone)
    {
        Assert.True(_served.Server.Yield(_soon));
        byte[] reply = [.. Wire.Bytes(new VfioUserHeader { MessageId = 3, Command = VfioUserCommand.VFIO_USER_REGION_READ, MessageSize = 40, Flags = VfioUserFlags.VFIO_USER_REPLY }), .. Wire.Read(0, 0, 8), .. new byte[8]];
        using (var journal = new ConnectionJournal(_journal))
        {
            journal.Conversation.TakeOver();
            reply.CopyTo(journal.Replies.Span);
            journal.Conversation.Value.ReplyEnd = reply.Length;
            journal.CommitSent();
            if (gone > 0)
            {
                var socket = new UnixSocket(_record.Client!.Socket);
                Assert.Equal(Errno.None, socket.SendCounted(journal.Sent(journal.Conversation.Value.SendRecord), reply.AsSpan(0, gone), []));
            }
        }

        _served = Serve(null);
        Assert.Equal(3, Header().MessageId);
        Assert.Equal(1ul, _client.RegionRead<ulong>(0, SteadyDevice.Counter));
        Assert.Equal(2ul, _client.RegionRead<ulong>(0, SteadyDevice.Counter));
    }

    [Fact]
    public void Killed_while_its_device_waited_for_memory_that_the_client_does_not_share()
    {
        _client.DmaMap(0x10000, 4096, IommuProtection.IOMMU_READ);
        Stop(after: false);
        _client.RegionWritePosted(0, SteadyDevice.Sequence, BitConverter.GetBytes(1ul));
        WaitUntilStopped();
        SteadyDevice killed = _served.Device;
        var asks = new Thread(() => killed.DmaRw(0x10000, new byte[8], write: false));
        asks.Start();
        VfioUserHeader stray = Header();
        _served = Serve(null);
        Answer(stray, 1);
        Assert.Equal(1ul, _client.RegionRead<ulong>(0, SteadyDevice.Sequence));

        // The next one is another's.
        byte[] data = new byte[8];
        Errno errno = Errno.EIO;
        asks = new Thread(() => errno = _served.Device.DmaRw(0x10000, data, write: false));
        asks.Start();
        VfioUserHeader next = Header();
        Assert.NotEqual(stray.MessageId, next.MessageId);
        Answer(next, 2);
        asks.Join();
        Assert.Equal((Errno.None, 2), (errno, data[0]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(32)]
    public void Killed_while_a_request_of_its_own_went_out(int gone)
    {
        Assert.True(_served.Server.Yield(_soon));
        byte[] request = Wire.Message(7, VfioUserCommand.VFIO_USER_DMA_READ, Wire.Bytes(new DmaAccess { Address = 0x10000, Count = 8 }));
        using (var journal = new ConnectionJournal(_journal))
        {
            journal.Ask.TakeOver();
            request.CopyTo(journal.Asks.Span);
            journal.Ask.Value = journal.Ask.Value with { Start = 0, End = request.Length, Id = 7, Outstanding = 1 };
            journal.CommitAsked();
            if (gone > 0)
            {
                Assert.Equal(Errno.None, new UnixSocket(_record.Client!.Socket).SendCounted(journal.Asked(journal.Ask.Value.SendRecord), request.AsSpan(0, gone), []));
            }
        }

        _served = Serve(null);
        if (gone > 0)
        {
            VfioUserHeader header = Header();
            Assert.Equal((7, VfioUserCommand.VFIO_USER_DMA_READ), (header.MessageId, header.Command));
            Answer(header, 1);
        }

        Assert.Equal(1ul, _client.RegionRead<ulong>(0, SteadyDevice.Counter));
    }

    [Fact]
    public void Killed_in_the_middle_of_a_long_message()
    {
        byte[] data = new byte[1 << 20];
        new Random(3).NextBytes(data);
        byte[] message = Wire.Message(9, VfioUserCommand.VFIO_USER_REGION_WRITE, Wire.Write(SteadyDevice.Large, 0, (uint)data.Length, data));
        using var journal = new ConnectionJournal(_journal);
        int sent = 0;
        foreach (int end in (int[])[10, 100, 70_000, 300_000, 900_000, message.Length])
        {
            _client.SendRaw(message[sent..end]);
            sent = end;
            Assert.True(_served.Server.Yield(_soon));
            _served = Serve(null);
        }

        Assert.Equal(VfioUserCommand.VFIO_USER_REGION_WRITE, Header().Command);
        byte[] read = new byte[data.Length];
        _client.RegionRead(SteadyDevice.Large, 0, read);
        Assert.True(data.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public void Descriptors_come_again_with_the_message_that_was_not_answered()
    {
        byte[] map = Wire.Message(7, VfioUserCommand.VFIO_USER_DMA_MAP, Hostile.Requests.Map(0x10000, 4096));
        byte[] read = Wire.ReadMessage(6, 0, SteadyDevice.Counter, 8);
        _client.SendRaw(read[..10]);
        _client.SendRaw([.. read[10..], .. map[..20]], _memory);
        Assert.Equal(6, Header().MessageId);
        Assert.True(_served.Server.Yield(_soon));
        _served = Serve(null);
        _client.SendRaw(map[20..]);
        Assert.Equal((7, (VfioUserFlags)1), (Header() is var header ? header.MessageId : 0, header.Flags));
        Assert.Equal(1, _served.Device.Iommu.MapCount);
        _ = Assert.Single(_record.Client!.Maps, kept => kept.File!.Inspect().Identity == _memory.Inspect().Identity);
    }

    [Fact]
    public void A_map_or_an_unmap_that_was_carried_out_is_no_error_once()
    {
        _client.DmaMap(0x10000, 4096, IommuProtection.IOMMU_READ, _memory);
        Assert.True(_served.Server.Yield(_soon));
        _served = Serve(null);
        _client.DmaMap(0x10000, 4096, IommuProtection.IOMMU_READ, _memory);
        Assert.Equal(Errno.EEXIST, Assert.Throws<VfioUserException>(() => _client.DmaMap(0x10000, 4096, IommuProtection.IOMMU_READ, _memory)).Errno);
        _client.DmaUnmap(0x10000, 4096);
        Assert.True(_served.Server.Yield(_soon));
        _served = Serve(null);
        _client.DmaUnmap(0x10000, 4096);
        Assert.Equal(Errno.ENOENT, Assert.Throws<VfioUserException>(() => _client.DmaUnmap(0x10000, 4096)).Errno);
    }

    [Fact]
    public void A_client_that_never_introduced_itself_is_taken_over_too()
    {
        _client.Dispose();
        using VfioUserClient silent = VfioUserClient.Connect(_folder.File("device"));
        silent.SendRaw([1, 0]);
        Assert.True(SpinWait.SpinUntil(() => _record.Client is { MapCount: 0 } && _served.Device.Closes == 1, _soon));
        Assert.True(_served.Server.Yield(_soon));
        _served = Serve(null);
        silent.SendRaw(Wire.Message(1, VfioUserCommand.VFIO_USER_VERSION, Wire.Version(Wire.QemuCapabilities))[2..]);
        _ = silent.Receive(out VfioUserHeader header);
        Assert.Equal(VfioUserCommand.VFIO_USER_VERSION, header.Command);
    }

    private VfioUserHeader Header()
    {
        _ = _client.Receive(out VfioUserHeader header);
        return header;
    }

    private void Answer(in VfioUserHeader request, byte value) => _client.SendRaw(
    [
        .. Wire.Bytes(request.Reply(DmaAccess.Length + 8)),
        .. Wire.Bytes(new DmaAccess { Address = 0x10000, Count = 8 }),
        .. new byte[] { value, 0, 0, 0, 0, 0, 0, 0 },
    ]);

    private readonly ManualResetEventSlim _release = new();
    private readonly ManualResetEventSlim _stopped = new();

    private void Stop(bool after) => _served.Device.OnAccess = isAfter =>
    {
        if (isAfter == after)
        {
            Hang();
        }
    };

    private void Hang()
    {
        _stopped.Set();
        _release.Wait();
        throw new OperationCanceledException("killed");
    }

    private void WaitUntilStopped() => Assert.True(_stopped.Wait(_soon));

    private Served Serve(Action? restore)
    {
        var served = new Served(this, restore);
        _owned.Add(served);
        return served;
    }

    private sealed class Served : IDisposable
    {
        private readonly ConnectionJournal _journal;
        private readonly ResumeTests _test;

        internal Served(ResumeTests test, Action? restore)
        {
            _test = test;
            Device = new SteadyDevice(test._state);
            _journal = new ConnectionJournal(test._journal);
            Server = new VfioUserServer("served", Device, test._log, new VfioUserServerOptions { Journal = _journal, Keeper = test._record });
            if (test._record.Client is { } client)
            {
                Server.Resume(client, restore);
            }

            Server.Start(new UnixSocket(test._listener.Descriptor.Duplicate()));
        }

        internal SteadyDevice Device { get; }

        internal VfioUserServer Server { get; }

        public void Dispose()
        {
            _test._release.Set();
            Server.Dispose();
            Device.Dispose();
            _journal.Dispose();
        }
    }
}
