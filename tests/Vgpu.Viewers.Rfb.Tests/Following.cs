namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>A viewer beside the screen that it is shown.</summary>
internal static class Following
{
    /// <summary>Asks for updates until the picture is the screen's.</summary>
    internal static void Follow(this Viewer viewer, Desk desk)
    {
        while (!viewer.Shows(desk))
        {
            viewer.Request(incremental: true);
            viewer.Decoder.ReadUpdate();
        }
    }

    internal static bool Shows(this Viewer viewer, Desk desk)
    {
        if ((viewer.Width, viewer.Height) != (desk.Surface.Width, desk.Surface.Height))
        {
            return false;
        }

        for (int y = 0; y < viewer.Height; y++)
        {
            for (int x = 0; x < viewer.Width; x++)
            {
                if (viewer.Decoder.At(x, y) != viewer.Decoder.ValueOf(desk.At(x, y)))
                {
                    return false;
                }
            }
        }

        return true;
    }
}
