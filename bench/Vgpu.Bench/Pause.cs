namespace Vgpu.Bench;

/// <summary>Time between two measurements, in which nothing is waited for: what a daemon does of itself then is not measured.</summary>
internal static class Pause
{
    private static readonly ManualResetEventSlim s_never = new();

    internal static void For(TimeSpan time) => s_never.Wait(time);
}
