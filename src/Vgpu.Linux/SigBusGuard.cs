namespace Vgpu.Linux;

/// <summary>Placeholder of the first step: nothing is guarded yet.</summary>
public static class SigBusGuard
{
    public static bool IsAvailable => true;

    public static int Register(MemoryMapping mapping, ulong pageSize) => -1;

    public static void Unregister(int guard)
    {
    }
}
