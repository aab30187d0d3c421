using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>What is done in a viewer, and heard by the guest's end.</summary>
internal static class ViewerInput
{
    private const int Milliseconds = 500;

    /// <summary>Does it again and again until the guest has heard such an event.</summary>
    public static InputEvent DoUntil(this RemoteViewer viewer, RecordingSink input, Predicate<InputEvent> isIt, params string[] words)
    {
        InputEvent? found = null;
        viewer.DoUntil(() => input.TryWait(isIt, Milliseconds, out found), input.ToString, words);
        return found!.Value;
    }
}
