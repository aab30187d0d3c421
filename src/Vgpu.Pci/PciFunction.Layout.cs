// How a subclass lays a function out, and what regions VFIO shows of it. PCI Local Bus 3.0, 6.1 and 6.2.5.
using System.Globalization;
using Vgpu.Linux;
using Vgpu.Vfio;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Vfio.VfioPciRegions;

namespace Vgpu.Pci;

public abstract partial class PciFunction
{
    /// <summary>Adds a BAR; before the first access only. Throws <see cref="ArgumentException"/> where it can't be one or is taken.</summary>
    protected void AddBar(PciBar bar)
    {
        ArgumentNullException.ThrowIfNull(bar);
        CheckNotLaidOut();
        bar.Check();
        if (IsTaken(bar.Index) || (bar.Is64Bit && IsTaken(bar.Index + 1)))
        {
            throw new ArgumentException($"BAR {bar.Index} is taken.", nameof(bar));
        }

        _bars[bar.Index] = bar;
        _config.AddBar(bar);
        _handlers[bar.Index] = bar.Memory is null
            ? bar.Handler
            : new MemoryBar(MemoryMapping.Share(bar.Memory, 0, bar.Size, MemoryProtection.ReadWrite));
    }

    /// <summary>
    /// Adds a 32-bit BAR of registers, of <paramref name="size"/> bytes (a power of two, 16 or more), and returns their map,
    /// to be filled before the first access. Accesses hold the device's lock; a device whose registers must not wait for
    /// its work gives <see cref="AddBar"/> an <see cref="IMmioHandler"/> instead.
    /// </summary>
    protected RegisterMap AddRegisters(int index, ulong size)
    {
        var registers = new RegisterMap(this, size);
        AddBar(new PciBar { Index = index, Size = size, Handler = registers });
        return registers;
    }

    /// <summary>
    /// Adds a 32-bit prefetchable BAR of memory, of <paramref name="size"/> bytes (a power of two, a page to 1 GiB), which
    /// the client maps: a guest reads and writes it without a message. Returns it as it is mapped here, zero-filled, until
    /// the function is disposed. What both sides write at once is ordered by nobody. Throws <see cref="LinuxException"/>.
    /// </summary>
    /// <param name="index">0 to 5.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="files">Where the memory comes from that must outlive this process, by the name "bar" and its index; null: it need not.</param>
    protected MemoryMapping AddMemory(int index, ulong size, IMemoryFiles? files = null)
    {
        FileDescriptor file = files is null ? MemFd.Create("bar", size) : files.Open(string.Create(CultureInfo.InvariantCulture, $"bar{index}"), size);
        _ownFiles.Add(file);
        AddBar(new PciBar { Index = index, Size = size, IsPrefetchable = true, Memory = file });
        return ((MemoryBar)_handlers[index]!).Mapping;
    }

    /// <summary>
    /// Adds a capability: its id and the bytes after the next pointer. Returns its offset in config space. Before the
    /// first access only.
    /// </summary>
    protected int AddCapability(byte id, ReadOnlySpan<byte> body) => AddCapability(id, body, default);

    /// <summary>As above, with the bits of the body that may be written (shorter than the body: the rest may not).</summary>
    protected int AddCapability(byte id, ReadOnlySpan<byte> body, ReadOnlySpan<byte> writable)
    {
        CheckNotLaidOut();
        return _config.AddCapability(id, body, writable);
    }

    /// <summary>
    /// Adds a thread that does <paramref name="work"/> each time it is woken (see <see cref="DeviceThread"/>), until the
    /// function is disposed.
    /// </summary>
    protected DeviceThread AddThread(string name, Action work)
    {
        var thread = new DeviceThread(name, work);
        _threads.Add(thread);
        return thread;
    }

    /// <summary>Gives the function an expansion ROM (region 6, BAR 0x30 with size masking). Empty: none.</summary>
    protected void SetRom(ReadOnlyMemory<byte> image)
    {
        CheckNotLaidOut();
        if (!image.IsEmpty)
        {
            var rom = new RomBar(image);
            _handlers[VFIO_PCI_ROM_REGION_INDEX] = rom;
            _config.AddRom(rom.Size);
        }
    }

    private bool IsTaken(int index) => _bars[index] is not null || (index > 0 && _bars[index - 1] is { Is64Bit: true });

    private void CheckNotLaidOut()
    {
        if (_laidOut)
        {
            throw new InvalidOperationException("The function has been used: its layout is fixed.");
        }
    }

    private void LayOut()
    {
        if (_laidOut)
        {
            return;
        }

        lock (Lock)
        {
            if (!_laidOut)
            {
                PlaceMsixTable();
                _regions = MakeRegions();
                _config.Seal();
                Iommu.BusMaster = false;
                _laidOut = true;
            }
        }
    }

    private void PlaceMsixTable()
    {
        if (_msixTable is null)
        {
            return;
        }

        int index = 0;
        while (index < _bars.Length && IsTaken(index))
        {
            index++;
        }

        AddBar(new PciBar { Index = index, Size = _msixTable.Size, Handler = _msixTable });
        _config.Set32(_msixCapability + 4, (uint)index);
        _config.Set32(_msixCapability + 8, _msixTable.PendingOffset | (uint)index);
    }

    private VfioRegion[] MakeRegions()
    {
        var regions = new VfioRegion[VFIO_PCI_NUM_REGIONS];
        Array.Fill(regions, VfioRegion.Absent);
        foreach (PciBar? bar in _bars)
        {
            if (bar is not null)
            {
                regions[bar.Index] = bar.Region;
            }
        }

        if (_handlers[VFIO_PCI_ROM_REGION_INDEX] is RomBar rom)
        {
            regions[VFIO_PCI_ROM_REGION_INDEX] = new VfioRegion { Flags = VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ, Size = rom.Size };
        }

        regions[VFIO_PCI_CONFIG_REGION_INDEX] = new VfioRegion
        {
            Flags = VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ | VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE,
            Size = PCI_CFG_SPACE_EXP_SIZE,
        };
        return regions;
    }
}
