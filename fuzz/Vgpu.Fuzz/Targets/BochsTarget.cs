using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Gpus;
using Vgpu.Host.Software;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vendors.Bochs;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Fuzz.Targets;

/// <summary>
/// All that a guest does to a bochs display, as steps of a byte that says which: accesses to registers, config space, ROM and
/// framebuffer, of any width; a look at the screen; a reset.
/// </summary>
internal sealed class BochsTarget : IFuzzTarget
{
    private const int MostSteps = 256;
    private const int LongestAccess = 64;
    private const ulong VideoMemory = 4 << 20;
    private const int Registers = 2;
    private const int Dispi = 0x500;

    private readonly Type2 _iommu = new(NullLogger.Instance);
    private readonly VgpuInstance _instance;
    private readonly MemoryMapping _memory;

    internal BochsTarget()
    {
        var vendor = new BochsVendor();
        var options = new VgpuOptions { Name = "fuzz", VideoMemory = VideoMemory };
        _instance = vendor.Create(vendor.Types[0], options, _iommu, new SoftwareRenderer(), NullLogger.Instance);
        _memory = MemoryMapping.Share(Device.Regions[0].File!, 0, Device.Regions[0].Size, MemoryProtection.ReadWrite);
    }

    public string Name => "bochs";

    public IEnumerable<byte[]> Seeds =>
    [
        [.. Mode(640, 480, 32), 6, .. Draw(0), 6],
        [.. Mode(800, 600, 16), 6, .. Draw(100), 6, .. Set(8, 1), .. Set(9, 1), 6],
        [.. Mode(320, 200, 32), 6, 7, 6],
        [.. Enumerable.Range(0, 11).SelectMany(i => new byte[] { 1, Registers, (byte)(2 * i), Dispi >> 8, 2 })],
        [.. Enumerable.Range(0, 32).SelectMany(i => new byte[] { 1, 7, (byte)(4 * i), 0, 4 })],
        [2, 7, 0x10, 0, 4, 0xff, 0xff, 0xff, 0xff, 1, 7, 0x10, 0, 4, 1, Registers, 0, 0, 4, 1, Registers, 0, 4, 1, 1, Registers, 0, 6, 4],
    ];

    private VfioDevice Device => _instance.Device;

    private Head Head => _instance.Screen.Heads[0];

    public void Run(ReadOnlySpan<byte> input)
    {
        long allocated = GC.GetTotalAllocatedBytes();
        Device.Reset();
        _memory.Span[..(1 << 16)].Clear();
        var reader = new InputReader(input);
        for (int step = 0; step < MostSteps && !reader.IsEnd; step++)
        {
            Step(ref reader);
        }

        Look();
        Device.Reset();
        FindingException.Require(Head.State is { Width: 0, Height: 0 }, "a reset leaves a picture");
        FindingException.Require(GC.GetTotalAllocatedBytes() - allocated < 1L << 30, "it allocates without end");
    }

    public void Dispose()
    {
        _memory.Dispose();
        _instance.Dispose();
        _iommu.Dispose();
    }

    private void Step(ref InputReader reader)
    {
        switch (reader.Byte() & 7)
        {
            case 0 or 1 or 5:
                Access(reader.Byte(), reader.UInt16(), reader.Byte(), [], write: false);
                break;
            case 2 or 3:
                Access(reader.Byte(), reader.UInt16(), reader.Byte(), reader.Bytes(sizeof(uint)), write: true);
                break;
            case 4:
                int at = reader.UInt16();
                reader.Bytes(16).CopyTo(_memory.Span[at..]);
                break;
            case 6:
                Look();
                break;
            default:
                Device.Reset();
                break;
        }
    }

    // Any region that is there, within its bounds: the transport sees to those.
    private void Access(byte region, ushort offset, byte width, ReadOnlySpan<byte> bytes, bool write)
    {
        int index = region % Device.Regions.Count;
        VfioRegion target = Device.Regions[index];
        VfioRegionFlags needed = write ? VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE : VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ;
        if (target.Size == 0 || (target.Flags & needed) == 0)
        {
            return;
        }

        ulong at = offset % target.Size;
        Span<byte> data = stackalloc byte[LongestAccess];
        data.Clear();
        bytes.CopyTo(data);
        data = data[..(int)Math.Min(target.Size - at, (ulong)(width % LongestAccess == 0 ? 1 : width % LongestAccess))];
        _ = write ? Device.WriteRegion(index, at, data) : Device.ReadRegion(index, at, data);
    }

    private void Look()
    {
        Head.FrameSource?.Refresh();
        Picture? picture = Head.Capture(withCursor: true);
        HeadState state = Head.State;
        FindingException.Require(picture is null == (state.Width == 0), "a picture without a mode, or a mode without a picture");
    }

    // As Linux's driver sets a mode.
    private static byte[] Mode(ushort width, ushort height, byte bits) =>
        [.. Set(4, 0), .. Set(3, bits), .. Set(1, width), .. Set(2, height), .. Set(6, width), .. Set(7, height), .. Set(8, 0), .. Set(9, 0), .. Set(4, 0x41)];

    private static byte[] Set(int index, ushort value)
    {
        byte[] step = [2, Registers, (byte)(2 * index), Dispi >> 8, 2, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(step.AsSpan(5), value);
        return step;
    }

    private static byte[] Draw(ushort at) => [4, (byte)at, (byte)(at >> 8), .. Enumerable.Repeat((byte)0xa5, 16)];
}
