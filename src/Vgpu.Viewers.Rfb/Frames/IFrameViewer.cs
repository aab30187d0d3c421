namespace Vgpu.Viewers.Rfb;

/// <summary>Somebody who is shown a <see cref="ScreenFrame"/>. Both calls come on the device's thread and return at once.</summary>
internal interface IFrameViewer
{
    PendingChanges Changes { get; }

    /// <summary>There may be something new.</summary>
    void Wake();

    void CursorChanged();
}
