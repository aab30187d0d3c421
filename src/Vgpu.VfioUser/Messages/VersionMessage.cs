using System.Runtime.InteropServices;

namespace Vgpu.VfioUser.Messages;

/// <summary>What begins the request and reply of VFIO_USER_VERSION; JSON with a final NUL may follow.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VersionMessage
{
    public const int Length = 4;

    public ushort Major;
    public ushort Minor;
}
