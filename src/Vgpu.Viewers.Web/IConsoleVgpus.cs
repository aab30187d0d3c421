namespace Vgpu.Viewers.Web;

/// <summary>
/// The vGPUs that a console shows, from whoever has them. Members are called on any thread, several at a time. Nothing
/// here throws: what can't be had is null.
/// </summary>
public interface IConsoleVgpus
{
    /// <summary>Raised after anything that <see cref="List"/> says has changed, on any thread; handlers return at once.</summary>
    event Action? Changed;

    /// <summary>All of them, in the order to show them in. Answers at once.</summary>
    IReadOnlyList<ConsoleVgpu> List();

    /// <summary>
    /// What the first connected head shows, without the picture where its generation is <paramref name="known"/>; null
    /// where nothing is shown. May block for a moment.
    /// </summary>
    ConsoleGlance? Glance(Guid uuid, ulong? known);

    /// <summary>The screen for one session, until the result is disposed; null where there is none. May block for a moment.</summary>
    IConsoleScreen? Open(Guid uuid);
}
