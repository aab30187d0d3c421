using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>As whom this process runs.</summary>
public static class UserIdentity
{
    /// <summary>geteuid(2); 0: root.</summary>
    public static uint EffectiveUid => Libc.GetEUid();
}
