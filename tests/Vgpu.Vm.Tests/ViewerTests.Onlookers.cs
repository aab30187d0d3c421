using Vgpu.Api;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>Several people who look at once, some of whom may type.</summary>
public sealed partial class ViewerTests
{
    [Fact]
    public void Several_people_look_and_those_who_were_let_in_to_look_type_nothing()
    {
        ViewerAddresses toLook = guest.AddressesToLook;
        Assert.Equal(guest.Addresses.Vnc, toLook.Vnc);
        using var drawing = new Drawing(guest.Shell, "--mode 800x600 --pattern noise --seed 41 --follow");
        using var typists = new XDisplay(800, 600);
        typists.StartTigerVnc(VncAddress, guest.Addresses.VncPassword);
        AssertShows(typists, GuestPattern.Noise(800, 600, 41));

        using var keys = new EvdevRecord(guest.Shell, guest.Keyboard);
        using (var read = new EvdevRecord(guest.Shell, guest.Tablet))
        {
            int left = Departures;
            using (var onlookers = new XDisplay(800, 600))
            {
                onlookers.StartTigerVnc(VncAddress, toLook.VncPassword);
                AssertShows(onlookers, GuestPattern.Noise(800, 600, 41));
                onlookers.Do("type", "--delay", "100", "abc");
                onlookers.Do("mousemove", "123", "456", "click", "1");
                OpenConsole(toLook.Web);
                AssertPageShows(GuestPattern.Noise(800, 600, 41));
                _ = browser.Run("await page.locator('#screen canvas').click(); await page.keyboard.type('abc'); await page.goto('about:blank');");
            }

            // Who has left has been heard to the end.
            Eventually.Holds(() => Departures >= left + 2, () => $"both onlookers leave: {guest.Log}");
            Assert.Equal((string.Empty, string.Empty), (keys.Take(0), read.Take(0)));
        }

        AssertShows(typists, GuestPattern.Noise(800, 600, 41));
        typists.Do("type", "--delay", "100", "vGpu");
        AssertHearsVGpu(keys);
    }

    private int Departures => guest.Log.Split('\n').Count(line => line.Contains("VNC viewer", StringComparison.Ordinal) && (line.EndsWith(" left", StringComparison.Ordinal) || line.Contains("closed ", StringComparison.Ordinal)));
}
