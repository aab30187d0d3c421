using Vgpu.VfioUser.Tests.Resuming;

/// <summary>What the runtime calls in a process that a test has started (DOTNET_STARTUP_HOOKS); its name is the runtime's.</summary>
#pragma warning disable CA1050 // No namespace: the runtime wants it so.
internal static class StartupHook
#pragma warning restore CA1050
{
    public static void Initialize() => ServedProcess.Begin();
}
