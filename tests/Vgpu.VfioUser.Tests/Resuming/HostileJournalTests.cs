using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Tests.Hostile;

namespace Vgpu.VfioUser.Tests.Resuming;

// A journal that a process left which somebody had taken over: it is refused, or what it says harms nobody but its client.
[Collection(nameof(Alone))]
public sealed class HostileJournalTests : IDisposable
{
    // The page before the buffers: all that is a number.
    private const int HeadLength = 4096;

    private readonly FileDescriptor _file = ConnectionJournal.CreateFile();
    private readonly FileDescriptor _state = MemFd.Create("steady", SteadyDevice.StateLength);
    private readonly byte[] _good = new byte[HeadLength];

    public void Dispose()
    {
        _file.Dispose();
        _state.Dispose();
    }

    [Fact]
    public void A_file_that_is_no_journal_is_refused()
    {
        using var shorter = MemFd.Create("journal", 4096);
        Assert.Throws<InvalidDataException>(() => new ConnectionJournal(shorter));
        using var another = MemFd.Create("journal", _file.Inspect().Size);
        Assert.Throws<InvalidDataException>(() => new ConnectionJournal(another));
        using var loose = MemFd.Create("journal", _file.Inspect().Size, Seals.None);
        Assert.Throws<InvalidDataException>(() => new ConnectionJournal(loose));
    }

    [Fact]
    public void A_journal_without_a_client_is_refused()
    {
        using var record = new ClientRecord();
        (UnixSocket near, UnixSocket far) = UnixSocket.Pair();
        using (near)
        using (far)
        {
            record.ClientAccepted(near.Descriptor);
            Assert.Contains("it knows of no client", Assert.Throws<InvalidDataException>(() => Resume(record)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Any_byte_of_it_may_be_anything() => Try(Campaign.Short(atLeast: 20));

    [Fact]
    [Trait("Length", "long")]
    public void Any_bytes_of_it_may_be_anything_for_long() => Try(Campaign.Long());

    private void Try(Campaign campaign)
    {
        Prepare();
        Holdings before = default;
        var random = new Random(5);
        byte[] values = [0, 1, 2, 0x7f, 0x80, 0xff];
        while (campaign.Next())
        {
            if (campaign.Rounds == 10)
            {
                before = Holdings.Now();
            }

            byte[] bad = [.. _good];
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                bad[random.Next(64, 1024 + (6 * CountedTransfer.Length))] = values[random.Next(values.Length)];
            }

            using (var memory = MemoryMapping.Share(_file, 0, HeadLength, MemoryProtection.ReadWrite))
            {
                bad.CopyTo(memory.Span);
            }

            (UnixSocket near, UnixSocket far) = UnixSocket.Pair();
            using var client = new VfioUserClient(far);
            using var record = new ClientRecord();
            record.ClientAccepted(near.Descriptor);
            near.Dispose();
            client.SendRaw(Wire.ReadMessage(1, 0, SteadyDevice.Counter, 8));
            try
            {
                Resume(record);
            }
            catch (InvalidDataException)
            {
                // Refused in words.
            }
        }

        Holdings.AssertBackTo(before, "hostile journals");
    }

    // Goes on with it, and ends it, whatever the client is told.
    private void Resume(ClientRecord record)
    {
        using var device = new SteadyDevice(_state);
        using var journal = new ConnectionJournal(_file);
        using var server = new VfioUserServer("hostile", device, new ListLogger(), new VfioUserServerOptions { Journal = journal });
        server.Resume(record.Client!);
        _ = record.Client!.Socket;
    }

    // What a server leaves that has served some requests.
    private void Prepare()
    {
        (UnixSocket near, UnixSocket far) = UnixSocket.Pair();
        using var device = new SteadyDevice(_state);
        using var journal = new ConnectionJournal(_file);
        var options = new VfioUserServerOptions { Journal = journal };
        using var client = new VfioUserClient(far);
        using var connection = new VfioUserConnection(near, device, "prepares", new ListLogger(), options);
        connection.Start();
        _ = client.Negotiate();
        client.DmaMap(0, 4096, IommuProtection.IOMMU_READ);
        Assert.Equal(1ul, client.RegionRead<ulong>(0, SteadyDevice.Counter) - device.Register(SteadyDevice.Counter) + 1);
        Assert.True(connection.Yield(TimeSpan.FromSeconds(20)));
        using var memory = MemoryMapping.Share(_file, 0, HeadLength, MemoryProtection.Read);
        memory.Span.CopyTo(_good);
    }
}
