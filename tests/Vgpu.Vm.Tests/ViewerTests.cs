using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>Debian's viewers at the daemon's own addresses, with a stock guest at the other end: what it draws, what it is told, its mode.</summary>
public sealed partial class ViewerTests(ViewedGuest guest, Browser browser) : IClassFixture<ViewedGuest>, IClassFixture<Browser>
{
    private const string CanvasPicture = "return await page.locator('#screen canvas').evaluate(canvas => canvas.toDataURL('image/png'));";

    [Fact]
    public void Gvnccapture_takes_the_guest_s_picture()
    {
        using var drawing = new Drawing(guest.Shell, "--mode 800x600 --pattern noise --seed 21");
        Picture expected = GuestPattern.Noise(800, 600, 21);
        Eventually.Holds(() => PictureAssert.AreSame(expected, VncCapture.Gvnccapture(guest.VncPort, guest.Addresses.VncPassword)), "gvnccapture takes the guest's picture");
    }

    [Fact]
    public void Vncsnapshot_takes_the_guest_s_picture()
    {
        using var drawing = new Drawing(guest.Shell, "--mode 800x600 --pattern gradient --seed 22");
        Picture expected = GuestPattern.Gradient(800, 600, 22);
        Eventually.Holds(() => PictureAssert.AreNear(expected, VncCapture.Vncsnapshot(guest.VncPort, guest.Addresses.VncPassword)), "vncsnapshot takes the guest's picture");
    }

    [Fact]
    public void TigerVNC_shows_the_guest_s_picture_and_the_guest_hears_what_is_done_there()
    {
        using var drawing = new Drawing(guest.Shell, "--mode 800x600 --pattern noise --seed 23");
        using var display = new XDisplay(800, 600);
        display.StartTigerVnc(VncAddress, guest.Addresses.VncPassword);
        AssertShows(display, GuestPattern.Noise(800, 600, 23));

        using (var read = new EvdevRecord(guest.Shell, guest.Keyboard))
        {
            display.Do("type", "--delay", "100", "vGpu");
            AssertHearsVGpu(read);
        }

        using (var read = new EvdevRecord(guest.Shell, guest.Tablet))
        {
            InputEvent place = InputEvent.Pointer(0, 123, 456, 800, 600);
            display.Do("mousemove", "500", "300");
            display.Do("mousemove", "123", "456", "click", "1");
            Match heard = AssertHears(read, Click());
            Assert.Equal((place.X, place.Y), (Number(heard, "x"), Number(heard, "y")));
        }
    }

    [Fact]
    public void TigerVNC_on_a_larger_screen_changes_the_guest_s_mode()
    {
        using var drawing = new Drawing(guest.Shell, "--mode 800x600 --pattern noise --seed 24 --follow");
        using var display = new XDisplay(1000, 700);
        display.StartTigerVnc(VncAddress, guest.Addresses.VncPassword, "-RemoteResize=1");
        AssertShows(display, GuestPattern.Noise(1000, 700, 24));
        Assert.Equal("1000x700", guest.Shell.Run("head -n 1 /sys/class/drm/card0-Virtual-1/modes").Trim());
    }

    [Fact]
    public void NoVNC_shows_the_guest_s_picture_and_the_guest_hears_what_is_done_there()
    {
        using var drawing = new Drawing(guest.Shell, "--mode 800x600 --pattern noise --seed 25");
        OpenConsole();
        AssertPageShows(GuestPattern.Noise(800, 600, 25));

        using (var read = new EvdevRecord(guest.Shell, guest.Keyboard))
        {
            _ = browser.Run("await page.getByRole('button', { name: 'Use keyboard' }).press('Enter'); await page.keyboard.press('v'); await page.keyboard.press('Shift+G'); await page.keyboard.type('pu');");
            AssertHearsVGpu(read);
        }

        using (var read = new EvdevRecord(guest.Shell, guest.Tablet))
        {
            _ = browser.Run("""
                const box = await page.locator('#screen canvas').boundingBox();
                await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
                await page.mouse.move(box.x + box.width / 4, box.y + box.height * 3 / 4);
                await page.mouse.down();
                await page.mouse.up();
                """);
            Match heard = AssertHears(read, Click());

            // A picture that is scaled has no pixel's exact place.
            Assert.InRange(Number(heard, "x"), 8192 - 60, 8192 + 60);
            Assert.InRange(Number(heard, "y"), 24576 - 80, 24576 + 80);
        }
    }

    [Fact]
    public void A_browser_s_window_changes_the_guest_s_mode()
    {
        using var drawing = new Drawing(guest.Shell, "--mode 800x600 --pattern noise --seed 26 --follow");
        OpenConsole();
        JsonElement size = browser.Run("""
            await page.getByLabel('Size').selectOption('Guest follows window');
            return await page.evaluate(() => { const box = document.getElementById('screen').getBoundingClientRect(); return { width: Math.floor(box.width), height: Math.floor(box.height) }; });
            """);
        (int width, int height) = (size.GetProperty("width").GetInt32(), size.GetProperty("height").GetInt32());
        AssertPageShows(GuestPattern.Noise(width, height, 26));
        Assert.Equal($"{width}x{height}", guest.Shell.Run("head -n 1 /sys/class/drm/card0-Virtual-1/modes").Trim());
    }

    private string VncAddress => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1::{guest.VncPort}");

    private void OpenConsole(string? address = null)
    {
        browser.Fresh();
        _ = browser.Run("await page.goto(given); await page.waitForFunction(() => document.body.classList.contains('connected'));", address ?? guest.Addresses.Web);
    }

    private void AssertShows(XDisplay display, Picture expected)
    {
        Picture? seen = null;
        Assert.True(
            SpinWait.SpinUntil(() => (seen = display.Screenshot()) is not null && PictureAssert.AreSame(expected, seen), TimeSpan.FromSeconds(60)),
            $"another picture; {guest.Log}");
    }

    private void AssertPageShows(Picture expected)
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("canvas.png");
        Eventually.Holds(
            () =>
            {
                File.WriteAllBytes(file, Convert.FromBase64String(browser.Run(CanvasPicture).GetString()!.Split(',')[1]));
                return PictureAssert.AreSame(expected, ImageFile.Read(file));
            },
            "the page shows the guest's picture",
            60);
    }

    // Shift may be let go before the letter or after it.
    private static void AssertHearsVGpu(EvdevRecord read) => AssertHears(read, VGpu());

    private static Match AssertHears(EvdevRecord read, Regex events)
    {
        string heard = string.Empty;
        Assert.True(SpinWait.SpinUntil(() => events.IsMatch(heard = read.Take(1)), TimeSpan.FromSeconds(60)), $"{events} is not in {heard}");
        return events.Match(heard);
    }

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("^1[.]2f=1 0[.]0=0 1[.]2f=0 0[.]0=0 1[.]2a=1 0[.]0=0 1[.]22=1 0[.]0=0 (1[.](22|2a)=0 0[.]0=0 ){2}1[.]19=1 0[.]0=0 1[.]19=0 0[.]0=0 1[.]16=1 0[.]0=0 1[.]16=0 0[.]0=0")]
    private static partial Regex VGpu();

    [GeneratedRegex("3[.]0=(?<x>[0-9]+) 3[.]1=(?<y>[0-9]+) (0[.]0=0 )?1[.]110=1 0[.]0=0 1[.]110=0 0[.]0=0")]
    private static partial Regex Click();
}
