using System.Text.RegularExpressions;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>The same by SPICE, whose viewers the daemon starts a process for.</summary>
public sealed partial class ViewerTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Spicy_screenshot_takes_the_guest_s_picture(bool byUnixSocket)
    {
        using var drawing = new Drawing(guest.Shell, $"--mode 800x600 --pattern noise --seed {(byUnixSocket ? 31 : 32)}");
        using var folder = new TemporaryFolder();
        Picture expected = GuestPattern.Noise(800, 600, byUnixSocket ? 31u : 32u);
        Picture? seen = null;
        string said = string.Empty;
        Eventually.Holds(
            () => (seen = byUnixSocket
                ? SpiceClient.Screenshot(folder, guest.Addresses.SpiceSocket!, out said)
                : SpiceClient.Screenshot(folder, guest.Addresses.Spice!, out said, SpiceClient.Knowing(guest.Addresses.SpicePassword))) is not null && PictureAssert.AreSame(expected, seen),
            () => $"the guest's picture, but {seen?.Width}x{seen?.Height}; {said}; {guest.Log}");
    }

    [Fact]
    public void Remote_viewer_shows_the_guest_s_picture_and_the_guest_hears_what_is_done_there()
    {
        using var drawing = new Drawing(guest.Shell, "--mode 800x600 --pattern noise --seed 33");
        using var viewer = new RemoteViewer(SpiceAddress);
        (int left, int top) = AssertShows(viewer, GuestPattern.Noise(800, 600, 33));
        string window = viewer.Window();

        using (var read = new EvdevRecord(guest.Shell, guest.Keyboard))
        {
            viewer.DoUntil(() => read.Take(0).Contains("1.1e=0", StringComparison.Ordinal), () => read.Take(0), "windowfocus", window, "key", "a");
        }

        using (var read = new EvdevRecord(guest.Shell, guest.Keyboard))
        {
            viewer.Do("type", "--delay", "100", "vGpu");
            AssertHearsVGpu(read);
        }

        using (var read = new EvdevRecord(guest.Shell, guest.Tablet))
        {
            InputEvent place = InputEvent.Pointer(0, 123, 456, 800, 600);
            viewer.Do("mousemove", $"{left + 500}", $"{top + 300}");
            viewer.Do("mousemove", $"{left + 123}", $"{top + 456}", "click", "1");
            Match heard = AssertHears(read, Click());
            Assert.Equal((place.X, place.Y), (Number(heard, "x"), Number(heard, "y")));
        }
    }

    [Fact]
    public void Remote_viewer_s_window_changes_the_guest_s_mode()
    {
        using var drawing = new Drawing(guest.Shell, "--mode 800x600 --pattern noise --seed 34 --follow");
        using var viewer = new RemoteViewer(SpiceAddress);
        viewer.Do("windowsize", viewer.Window(), "700", "500");
        string mode = string.Empty;
        Eventually.Holds(
            () =>
            {
                mode = guest.Shell.Run("head -n 1 /sys/class/drm/card0-Virtual-1/modes").Trim();
                int[] size = [.. mode.Split('x').Select(int.Parse)];

                // The window has a bar above the picture.
                return size is [> 600 and <= 700, > 400 and <= 500] && viewer.Find(GuestPattern.Noise(size[0], size[1], 34)) is not null;
            },
            () => $"the picture in a window of 700x500, but the guest's mode is {mode}; {viewer.Said}");
    }

    private string SpiceAddress => $"{guest.Addresses.Spice}?password={guest.Addresses.SpicePassword}";

    private (int X, int Y) AssertShows(RemoteViewer viewer, Picture expected)
    {
        (int X, int Y)? place = null;
        Eventually.Holds(() => (place = viewer.Find(expected)) is not null, () => $"the guest's picture; {viewer.Said}; {guest.Log}");
        return place!.Value;
    }
}
