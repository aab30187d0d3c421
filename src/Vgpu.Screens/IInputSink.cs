namespace Vgpu.Screens;

/// <summary>Takes what people do at a screen to its guest.</summary>
public interface IInputSink
{
    /// <summary>
    /// What happened at one moment; the guest gets it as one (SYN_REPORT). All are valid. Any thread; does not block: what
    /// the guest has no room for is dropped, but never a release of what it was told is pressed.
    /// </summary>
    void Send(ReadOnlySpan<InputEvent> events);
}
