using System.Runtime.InteropServices;
using Vgpu.Vfio.Migration;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs;

// The registers as saved state, and the EDID that the guest may be in the middle of. A guest may write anything to them: so
// any value is one.
internal sealed partial class BochsMmio
{
    internal const int MaxStateLength = (VBE_DISPI_INDEX_NB * sizeof(ushort)) + (2 * sizeof(int)) + PCI_VGA_EDID_SIZE;

    internal void SaveState(StateWriter state)
    {
        state.Write(MemoryMarshal.AsBytes(_registers.AsSpan()));
        state.Write(_bigEndian ? 1 : 0);
        ReadOnlySpan<byte> edid = _edid.Span[..Math.Min(_edid.Length, PCI_VGA_EDID_SIZE)];
        state.Write(edid.Length);
        state.Write(edid);
    }

    /// <summary>After <see cref="Reset"/>, with the framebuffer loaded: shows what it holds.</summary>
    internal void LoadState(StateReader state)
    {
        state.Read(MemoryMarshal.AsBytes(_registers.AsSpan()));
        int bigEndian = state.Read<int>();
        int length = state.Read<int>();
        StateReader.Require(bigEndian is 0 or 1, "the byte order");
        StateReader.Require(length is >= 0 and <= PCI_VGA_EDID_SIZE, "the length of an EDID");
        var edid = new byte[length];
        state.Read(edid);
        _edid = edid;
        _bigEndian = bigEndian == 1;
        _scanout.SetMode(DispiMode.Of(_registers, _bigEndian, _videoMemory, _head.MaxMode));
    }
}
