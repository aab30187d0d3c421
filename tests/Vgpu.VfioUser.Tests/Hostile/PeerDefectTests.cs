using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;
using static Vgpu.VfioUser.Tests.Hostile.Requests;

namespace Vgpu.VfioUser.Tests.Hostile;

// What libvfio-user, the C library, gets wrong as of June 2026: one test for each of its defects.
public sealed class PeerDefectTests : IDisposable
{
    private const IommuProtection ReadWrite = IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE;
    private const int Intx = 0;
    private const int Request = 4;

    private readonly ServedDevice _served = new();
    private readonly OddDescriptors _odd = new();
    private readonly VfioUserClient _client;

    public PeerDefectTests() => _client = _served.Negotiated();

    private FileDescriptor Memory => _odd[DescriptorKind.Memory];

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
        _odd.Dispose();
    }

    [Theory]
    [InlineData(1UL, 4096)]
    [InlineData(512UL, 8)]
    [InlineData(2048UL, 2)]
    [InlineData(4096UL, 1)]
    public void A_report_by_pages_smaller_than_those_logged_is_answered(ulong pageSize, int bits)
    {
        _client.DmaMap(0x10000, 0x4000, ReadWrite, Memory);
        Assert.Equal(4096ul, _client.StartDmaLogging(4096, new DmaLoggingRange { Iova = 0x10000, Size = 0x4000 }));
        _served.Device.Iommu.MarkDirty(0x11000, 1);
        byte[] bitmap = _client.ReportDmaLogging(0x10000, 0x4000, pageSize);
        Assert.Equal(Enumerable.Range(bits, bits), Enumerable.Range(0, bitmap.Length * 8).Where(n => (bitmap[n / 8] >> (n % 8) & 1) != 0));
    }

    [Fact]
    public void A_report_need_be_of_no_range_that_was_mapped_or_logged()
    {
        _client.DmaMap(0x10000, 0x4000, ReadWrite, Memory);
        _client.DmaMap(0x14000, 0x4000, ReadWrite, Memory);
        _ = _client.StartDmaLogging(4096, new DmaLoggingRange { Iova = 0x10000, Size = 0x8000 });
        _served.Device.Iommu.MarkDirty(0x13000, 0x2000);
        Assert.Equal(0b110, _client.ReportDmaLogging(0x12000, 0x3000, 4096)[0]);
        Assert.Equal(0, _client.ReportDmaLogging(0, 0x20000, 4096)[0]);
    }

    [Theory]
    [InlineData((256 << 10) - 1)]
    [InlineData(256 << 10)]
    [InlineData((256 << 10) + 1)]
    [InlineData(1 << 20)]
    public void A_write_of_256_KiB_and_more_is_done_and_the_stream_goes_on(int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        byte[] back = new byte[length];
        _client.RegionWrite(FakeDevice.Large, 1, data);
        _client.RegionRead(FakeDevice.Large, 1, back);
        Assert.Equal(data, back);
    }

    [Fact]
    public void A_header_in_two_segments_is_one_header()
    {
        for (int cut = 1; cut < VfioUserHeader.Length; cut++)
        {
            AssertSameInTwo(Wire.ReadMessage((ushort)cut, 0, 0, 4), cut);
        }
    }

    [Fact]
    public void A_body_in_two_segments_is_one_body()
    {
        byte[] message = Wire.Message(7, VFIO_USER_DMA_MAP, Map(0, 4096));
        for (int cut = VfioUserHeader.Length; cut < message.Length; cut++)
        {
            AssertSameInTwo(message, cut);
            _client.DmaUnmap(0, 4096);
        }
    }

    [Fact]
    public void Some_interrupts_of_an_index_are_de_assigned()
    {
        EventFd[] eventfds = [.. Enumerable.Range(0, 8).Select(_ => EventFd.Create())];
        _client.SetIrqs(Msix, 0, 8, Eventfd | Trigger, [], [.. eventfds.Select(e => e.Descriptor)]);
        _client.SetIrqs(Msix, 4, 2, Eventfd | Trigger);
        bool[] raised = [.. Enumerable.Range(0, 8).Select(i => _served.Device.Raise(Msix, (uint)i))];
        Assert.Equal([true, true, true, true, false, false, true, true], raised);
        Assert.Equal(raised, eventfds.Select(e => e.Take() == 1));
        Array.ForEach(eventfds, e => e.Dispose());
    }

    [Fact]
    public void A_map_over_another_is_EEXIST_be_it_the_same()
    {
        _client.DmaMap(0x10000, 0x2000, ReadWrite, Memory);
        foreach ((ulong address, ulong size) in new[] { (0x10000UL, 0x2000UL), (0x11000UL, 0x2000UL), (0xf000UL, 0x2000UL), (0x11000UL, 0x1000UL), (0UL, 0x100000UL) })
        {
            AssertRefused(Errno.EEXIST, () => _client.DmaMap(address, size, ReadWrite));
        }

        AssertRefused(Errno.EEXIST, () => _client.DmaMap(0x10000, 0x2000, ReadWrite, Memory));
    }

    [Fact]
    public void A_map_of_nothing_is_refused() => AssertRefused(Errno.EINVAL, () => _client.DmaMap(0x10000, 0, ReadWrite, Memory));

    [Fact]
    public void A_map_past_the_end_of_addresses_is_refused()
    {
        AssertRefused(Errno.EINVAL, () => _client.DmaMap(0xffff_ffff_ffff_f000, 0x2000, ReadWrite, Memory));
        AssertRefused(Errno.EINVAL, () => _client.DmaMap(0xffff_ffff_ffff_f000, 0x2000, ReadWrite));
    }

    [Fact]
    public void A_map_of_more_than_its_file_is_refused()
    {
        AssertRefused(Errno.EINVAL, () => _client.DmaMap(0, OddDescriptors.MemorySize + 4096, ReadWrite, Memory));
        AssertRefused(Errno.EINVAL, () => _client.DmaMap(0, OddDescriptors.MemorySize, ReadWrite, Memory, 4096));
    }

    [Fact]
    public void A_multiple_write_is_done()
    {
        RegionWriteEntry[] entries = [new() { Count = 4, Data = 0x11223344 }, new() { Offset = 8, Count = 8, Data = 0x5566778899aabbcc }];
        Assert.Equal(2, _client.RegionWriteMulti(entries));
        Assert.Equal((0x11223344u, 0x5566778899aabbccul), (_client.RegionRead<uint>(0, 0), _client.RegionRead<ulong>(0, 8)));
    }

    [Fact]
    public void As_many_descriptors_are_taken_as_are_advertised_and_not_one_more()
    {
        using var served = new ServedDevice(interrupts: 32);
        using VfioUserClient client = served.Connect();
        int most = (int)client.Negotiate().Capabilities.MaxMsgFds!.Value;
        FileDescriptor[] eventfds = [.. Enumerable.Repeat(_odd[DescriptorKind.Eventfd], most + 1)];
        client.SetIrqs(Msix, 0, most, Eventfd | Trigger, [], eventfds.AsSpan(0, most));
        AssertRefused(Errno.EINVAL, () => client.SetIrqs(Msix, 0, most + 1, Eventfd | Trigger, [], eventfds));
    }

    [Theory]
    [InlineData(VFIO_USER_DMA_UNMAP)]
    [InlineData(VFIO_USER_DEVICE_FEATURE)]
    public void No_length_is_read_before_it_is_there(VfioUserCommand command)
    {
        // What the message before left in the buffer would be a good request.
        _client.DmaMap(0, 4096, ReadWrite);
        for (int length = 0; length < 8; length++)
        {
            _ = _client.Request(VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 64, [.. Unmap(0, 4096), .. new byte[40]]));
            Assert.Throws<VfioUserException>(() => { _ = _client.Request(command, Unmap(0, 4096).AsSpan(0, length)); });
        }

        Assert.Equal(1, _served.Device.Iommu.MapCount);
    }

    [Fact]
    public void Interrupt_indexes_have_eventfds_of_their_own()
    {
        using var line = EventFd.Create();
        using var message = EventFd.Create();
        _client.SetIrqs(Intx, 0, 1, Eventfd | Trigger, [], line.Descriptor);
        _client.SetIrqs(Msix, 0, 1, Eventfd | Trigger, [], message.Descriptor);
        Assert.True(_served.Device.Raise(Intx, 0));
        Assert.Equal((1ul, 0ul), (line.Take(), message.Take()));
        _client.SetIrqs(Msix, 0, 0, None | Trigger);
        Assert.True(_served.Device.Raise(Intx, 0));
        Assert.False(_served.Device.Raise(Msix, 0));
        Assert.Equal((1ul, 0ul), (line.Take(), message.Take()));
    }

    [Fact]
    public void The_request_interrupt_is_triggered()
    {
        using var eventfd = EventFd.Create();
        _client.SetIrqs(Request, 0, 1, Eventfd | Trigger, [], eventfd.Descriptor);
        _client.SetIrqs(Request, 0, 1, None | Trigger);
        Assert.Equal(1ul, eventfd.Take());
        _client.SetIrqs(Request, 0, 1, Bool | Trigger, [1]);
        Assert.Equal(1ul, eventfd.Take());
        Assert.True(_served.Device.Raise(Request, 0));
        Assert.Equal(1ul, eventfd.Take());
    }

    [Fact]
    public void The_line_interrupt_is_said_to_be_maskable() => Assert.Equal(
        VfioIrqFlags.VFIO_IRQ_INFO_MASKABLE | VfioIrqFlags.VFIO_IRQ_INFO_AUTOMASKED | VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD,
        _client.GetIrqInfo(Intx).Flags);

    private static void AssertRefused(Errno errno, Action request) => Assert.Equal(errno, Assert.Throws<VfioUserException>(request).Errno);

    private void AssertSameInTwo(byte[] message, int cut)
    {
        _client.SendRaw(message[..cut]);
        _client.SendRaw(message[cut..]);
        _ = _client.Receive(out VfioUserHeader header);
        Assert.Equal((VfioUserFlags.VFIO_USER_REPLY, 0u), (header.Flags, header.Error));
    }
}
