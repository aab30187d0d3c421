// A display for the driver that every Linux has (bochs-drm): a framebuffer that the guest maps and draws into without a
// message, and the registers that say how to read it (QEMU's docs/specs/standard-vga.rst). SIGUSR1 saves it as PNG.
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Viewers.Png;
using Vgpu.VfioUser;
using static Vgpu.Pci.PciIds;

const PosixSignal SIGUSR1 = (PosixSignal)10;
if (args is not [string socket, string file])
{
    Console.Error.WriteLine("usage: framebuffer SOCKET PICTURE.png");
    return 2;
}

using var display = new Display();
using var signal = PosixSignalRegistration.Create(SIGUSR1, Save);
return VfioUserServer.Run(socket, display);

void Save(PosixSignalContext context)
{
    context.Cancel = true; // or it would end the process
    try
    {
        if (display.Capture() is Picture picture)
        {
            PngFile.Write(file, picture);
            Console.WriteLine($"{file}: {picture.Width}x{picture.Height}");
        }
        else
        {
            Console.WriteLine("nothing is shown");
        }
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
    {
        Console.WriteLine($"{file}: {e.Message}");
    }
}

internal sealed class Display : PciFunction
{
    private const int VideoMemory = 16 << 20;
    private const int BytesPerPixel = 4;
    private const ulong FirstRegister = 0x500;
    private const ushort InterfaceVersion = 0xb0c5;
    private const ushort Enabled = 0x01;

    private readonly ushort[] _registers = new ushort[Enum.GetValues<Dispi>().Length];
    private readonly MemoryMapping _memory;

    public Display()
        : base(new PciIdentity(0x1234, 0x1111, RevisionId: 2, PCI_CLASS_DISPLAY_OTHER), PciInterruptMode.None)
    {
        _memory = AddMemory(0, VideoMemory);
        RegisterMap registers = AddRegisters(2, size: 4096);
        foreach (Dispi register in Enum.GetValues<Dispi>())
        {
            registers.Add<ushort>(FirstRegister + (2 * (ulong)register), () => Read(register), value => _registers[(int)register] = value);
        }
    }

    // The registers in their order, 16 bits each.
    private enum Dispi
    {
        Id,
        Width,
        Height,
        BitsPerPixel,
        Enable,
        Bank,
        VirtualWidth,
        VirtualHeight,
        OffsetX,
        OffsetY,
        VideoMemory64K,
    }

    /// <summary>What the guest shows now; null where that is nothing, or not 32 bits a pixel within the memory. Any thread.</summary>
    public Picture? Capture()
    {
        lock (Lock)
        {
            int width = this[Dispi.Width];
            int height = this[Dispi.Height];
            int stride = Math.Max(width, this[Dispi.VirtualWidth]) * BytesPerPixel;
            long start = ((long)this[Dispi.OffsetY] * stride) + (this[Dispi.OffsetX] * BytesPerPixel);
            bool isOn = (this[Dispi.Enable] & Enabled) != 0 && this[Dispi.BitsPerPixel] == 8 * BytesPerPixel;
            if (!isOn || width == 0 || height == 0 || start + ((long)height * stride) > VideoMemory)
            {
                return null;
            }

            var pixels = new byte[width * height * BytesPerPixel];
            for (int y = 0; y < height; y++)
            {
                Span<byte> row = _memory.Span.Slice((int)start + (y * stride), width * BytesPerPixel);
                row.CopyTo(pixels.AsSpan(y * row.Length));
            }

            return new Picture(width, height, pixels);
        }
    }

    protected override void OnReset()
    {
        Array.Clear(_registers);
        _memory.Span.Clear();
    }

    private ushort this[Dispi register] => _registers[(int)register];

    private ushort Read(Dispi register) => register switch
    {
        Dispi.Id => InterfaceVersion,
        Dispi.VideoMemory64K => VideoMemory >> 16,
        _ => this[register],
    };
}
