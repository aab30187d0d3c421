using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;
using Vgpu.VfioUser.Server;

namespace Vgpu.VfioUser.Tests;

// DMA maps through the socket, and memory that is not shared.
public sealed class DmaTests : IDisposable
{
    private const IommuProtection ReadWrite = IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE;
    private const ulong Large = 16UL << 20;

    private readonly ServedDevice _served = new();
    private readonly VfioUserClient _client;

    public DmaTests() => _client = _served.Negotiated();

    private Type2 Iommu => _served.Device.Iommu;

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    [Fact]
    public void Mapped_memory_is_reached_until_it_is_unmapped()
    {
        using var memory = MemFd.Create("ram", 0x4000);
        using var view = MemoryMapping.Share(memory, 0, 0x4000, MemoryProtection.ReadWrite);
        Iommu.BusMaster = true;
        view.Span[0x2010] = 42;
        _client.DmaMap(0x10000, 0x2000, ReadWrite, memory, 0x2000);
        byte[] data = [0];
        Assert.Equal((Errno.None, 42), (Iommu.DmaRw(0x10010, data, write: false), data[0]));
        Assert.Equal(Errno.EEXIST, Assert.Throws<VfioUserException>(() => _client.DmaMap(0x10000, 0x2000, ReadWrite, memory, 0x2000)).Errno);
        _client.DmaUnmap(0x10000, 0x2000);
        Assert.NotEqual(Errno.None, Iommu.DmaRw(0x10010, data, write: false));
        Assert.Contains((0x10000ul, 0x2000ul), _served.Device.Unmaps);
    }

    [Fact]
    public void Unmap_echoes_and_takes_all_away_with_one_flag()
    {
        _client.DmaMap(0x10000, 0x1000, ReadWrite);
        _client.DmaMap(0x20000, 0x1000, IommuProtection.IOMMU_READ);
        Assert.Equal(2, Iommu.MapCount);
        byte[] all = Wire.Bytes(new DmaUnmap { Argsz = 24, Flags = DmaUnmapFlags.VFIO_DMA_UNMAP_FLAG_ALL });
        Assert.Equal(all, _client.Request(VfioUserCommand.VFIO_USER_DMA_UNMAP, all).ToArray());
        Assert.Equal(0, Iommu.MapCount);
    }

    [Fact]
    public void Posted_maps_keep_their_files()
    {
        using var memory = MemFd.Create("ram", 0x8000);
        for (ulong i = 0; i < 8; i++)
        {
            byte[] map = Wire.Bytes(new DmaMap { Argsz = 32, Flags = (DmaMapFlags)3, Offset = i << 12, Address = i << 16, Size = 0x1000 });
            _client.Send(1, VfioUserCommand.VFIO_USER_DMA_MAP, map, VfioUserFlags.VFIO_USER_NO_REPLY, memory);
            _client.Send(2, VfioUserCommand.VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 1, 1), VfioUserFlags.VFIO_USER_NO_REPLY);
        }

        _ = _client.GetDeviceInfo();
        Assert.Equal((8, 0L), (Iommu.MapCount, _served.Server.Counters.Refusals));
    }

    [Fact]
    public void A_client_that_leaves_takes_its_maps_along()
    {
        _client.DmaMap(0x10000, 0x1000, ReadWrite);
        _client.Dispose();
        _served.Device.WaitForClose();
        using VfioUserClient next = _served.Negotiated();
        Assert.Equal(0, Iommu.MapCount);
    }

    [Fact]
    public void Ram_without_a_file_is_told_once_with_what_mends_it()
    {
        _client.DmaMap(0, 0x1000, IommuProtection.IOMMU_READ);
        Assert.Equal(0, _served.Log.Count("share=on"));
        _client.DmaMap(Large, Large, ReadWrite);
        _client.DmaMap(4 * Large, Large, ReadWrite);
        string line = Assert.Single(_served.Log.Lines, l => l.Contains("share=on", StringComparison.Ordinal));
        Assert.Contains("-object memory-backend-memfd,id=mem0,size=SIZE,share=on -machine memory-backend=mem0", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_large_bar_after_shared_ram_is_no_mistake()
    {
        using var memory = MemFd.Create("ram", Large);
        using var view = MemoryMapping.Share(memory, 0, Large, MemoryProtection.ReadWrite);
        _client.DmaMap(0, Large, ReadWrite, memory);
        _client.DmaMap(Large, Large, ReadWrite);
        Assert.Equal(0, _served.Log.Count("share=on"));
    }

    [Fact]
    public void Ram_mapped_privately_is_seen()
    {
        using var memory = MemFd.Create("ram", Large, Seals.None);
        using var file = MapPrivately(memory, out MemoryMappedViewAccessor view);
        using (view)
        {
            Assert.True(PeerMappings.ArePrivate(Environment.ProcessId, memory.Inspect().Identity));
            using (MemoryMapping.Share(memory, 0, 4096, MemoryProtection.ReadWrite))
            {
                Assert.False(PeerMappings.ArePrivate(Environment.ProcessId, memory.Inspect().Identity));
            }

            Assert.False(PeerMappings.ArePrivate(-1, memory.Inspect().Identity));
        }

        Assert.False(PeerMappings.ArePrivate(Environment.ProcessId, memory.Inspect().Identity));
    }

    private static MemoryMappedFile MapPrivately(FileDescriptor memory, out MemoryMappedViewAccessor view)
    {
        var handle = new SafeFileHandle(memory.Number, ownsHandle: false);
        var file = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: true);
        view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.CopyOnWrite);
        return file;
    }
}
