using System.Text.Json;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>One vGPU's console in a browser: its picture, keyboard, pointer, size, and how one gets out again.</summary>
[Collection(BrowserCollection.Name)]
public sealed class ConsolePageTests : IDisposable
{
    private const int KEY_ESC = 1;
    private const int KEY_BACKSPACE = 14;
    private const int KEY_TAB = 15;
    private const int KEY_ENTER = 28;
    private const int KEY_LEFTCTRL = 29;
    private const int KEY_LEFTALT = 56;
    private const int KEY_DELETE = 111;
    private const int KEY_V = 47;
    private const int KEY_G = 34;
    private const int KEY_P = 25;
    private const int KEY_U = 22;

    private const string Connected = "await page.waitForFunction(() => document.body.classList.contains('connected'));";

    private readonly Browser _browser;
    private readonly Served _served = new();
    private readonly FakeVgpu _desk;

    public ConsolePageTests(Browser browser)
    {
        _browser = browser;
        _browser.Fresh();
        _desk = _served.Vgpus.Add("desk");
        _ = _desk.Show(Pictures.Desktop(640, 480));
    }

    public void Dispose() => _served.Dispose();

    [Fact]
    public void From_the_list_to_the_screen_pixel_for_pixel_and_back()
    {
        Picture shown = _desk.Show(Pictures.Flat(640, 480, 33, 99, 187));
        JsonElement seen = _browser.Run($$"""
            await page.goto(given);
            await page.getByRole('link', { name: 'desk' }).click();
            {{Connected}}
            await page.waitForFunction(() => {
              const canvas = document.querySelector('#screen canvas');
              return canvas.width === 640 && canvas.getContext('2d').getImageData(639, 479, 1, 1).data[0] === 33;
            });
            const pixels = await page.locator('#screen canvas').evaluate(canvas => [...canvas.getContext('2d').getImageData(0, 0, 640, 480).data].filter((value, index) => index % 4 < 3 && value !== [33, 99, 187][index % 4]).length);
            const heading = await page.getByRole('heading', { level: 1 }).textContent();
            await page.getByRole('link', { name: 'All vGPUs' }).click();
            await page.getByRole('heading', { name: 'vGPUs' }).waitFor();
            return { pixels, heading, errors };
            """, _served.Link());
        Assert.Equal(0, seen.GetProperty("pixels").GetInt32());
        Assert.Equal("desk", seen.GetProperty("heading").GetString());
        Assert.Equal(0, seen.GetProperty("errors").GetArrayLength());
        Assert.Equal(640 * 480 * 4, shown.Pixels.Length);
        Workplace.Eventually(() => _served.Vgpus.Lent == 0);
    }

    [Fact]
    public void What_is_typed_arrives_and_the_keyboard_comes_back()
    {
        Open();
        JsonElement focus = _browser.Run("""
            await page.getByRole('button', { name: 'Use keyboard' }).press('Enter');
            await page.keyboard.type('vgpu');
            await page.keyboard.press('Tab');
            await page.keyboard.press('Escape');
            const typing = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
            await page.keyboard.down('Control');
            await page.keyboard.down('Alt');
            await page.keyboard.down('Shift');
            await page.keyboard.up('Shift');
            await page.keyboard.up('Alt');
            await page.keyboard.up('Control');
            const left = await page.evaluate(() => document.activeElement.id);
            const news = await page.locator('#news').textContent();
            // From here on nothing goes to the guest.
            await page.keyboard.press('Tab');
            await page.keyboard.press('x');
            return { typing, left, news, next: await page.evaluate(() => document.activeElement.id) };
            """);
        Assert.Equal("Screen of desk", focus.GetProperty("typing").GetString());
        Assert.Equal("type", focus.GetProperty("left").GetString());
        Assert.Equal("secure", focus.GetProperty("next").GetString());
        Assert.Contains("keyboard is this page", focus.GetProperty("news").GetString(), StringComparison.Ordinal);

        int[] typed = [KEY_V, KEY_G, KEY_P, KEY_U, KEY_TAB, KEY_ESC];
        int[] expected = [.. typed.SelectMany(key => new[] { key, -key }), KEY_LEFTCTRL, KEY_LEFTALT];
        Workplace.Eventually(() => _desk.Keys.Length >= expected.Length + 2, $"keys: {string.Join(' ', _desk.Keys)}");
        Assert.Equal(expected, _desk.Keys[..expected.Length]);
        // Whatever was down is up: the guest is left with no key pressed.
        Assert.Equal([-KEY_LEFTALT, -KEY_LEFTCTRL], _desk.Keys[expected.Length..].Order());
    }

    [Fact]
    public void Ctrl_Alt_Del_goes_to_the_guest_by_a_button()
    {
        Open();
        _ = _browser.Run("await page.getByRole('button', { name: 'Ctrl-Alt-Del' }).click();");
        Workplace.Eventually(() => _desk.Keys.Length >= 6, $"keys: {string.Join(' ', _desk.Keys)}");
        Assert.Equal([KEY_LEFTCTRL, KEY_LEFTALT, KEY_DELETE, -KEY_DELETE, -KEY_LEFTALT, -KEY_LEFTCTRL], _desk.Keys);
    }

    [Fact]
    public void The_pointer_is_where_the_mouse_is_however_the_picture_is_scaled()
    {
        Open();
        _ = _browser.Run("""
            const box = await page.locator('#screen canvas').boundingBox();
            await page.mouse.move(box.x + box.width / 4, box.y + box.height * 3 / 4);
            await page.mouse.down();
            await page.mouse.up();
            """);
        Workplace.Eventually(() => _desk.Input.Count(each => each.Kind == InputKind.Button) >= 2);
        InputEvent place = _desk.Input.Last(each => each.Kind == InputKind.Pointer);
        Assert.InRange(place.X, 8192 - 120, 8192 + 120);
        Assert.InRange(place.Y, 24576 - 160, 24576 + 160);
        Assert.Equal([1, 0], _desk.Input.Where(each => each.Kind == InputKind.Button).Take(2).Select(each => each.Value));
    }

    [Fact]
    public void A_guest_that_follows_gets_the_window_s_size()
    {
        Open();
        DisplayMode before = _desk.Screen.Heads[0].PreferredMode;
        JsonElement size = _browser.Run("""
            await page.getByLabel('Size').selectOption('Guest follows window');
            return await page.evaluate(() => { const box = document.getElementById('screen').getBoundingClientRect(); return { width: Math.floor(box.width), height: Math.floor(box.height) }; });
            """);
        var wanted = new DisplayMode(size.GetProperty("width").GetInt32(), size.GetProperty("height").GetInt32());
        Workplace.Eventually(() => _desk.Screen.Heads[0].PreferredMode is var mode && (mode.Width, mode.Height) == (wanted.Width, wanted.Height), $"{_desk.Screen.Heads[0].PreferredMode} instead of {wanted}, before {before}");

        // The guest does as it was asked, and the page shows the new size.
        _ = _desk.Show(Pictures.Flat(wanted.Width, wanted.Height, 9, 8, 7));
        _ = _browser.Run("await page.waitForFunction(wanted => document.querySelector('#screen canvas').width === wanted.Width, given);", wanted);

        _ = _browser.Run("await page.setViewportSize({ width: 900, height: 600 });");
        Workplace.Eventually(() => _desk.Screen.Heads[0].PreferredMode is { Width: 900, Height: < 600 });
    }

    [Fact]
    public void A_picture_is_saved_with_the_screen_s_own_pixels()
    {
        Picture shown = _desk.Show(Pictures.Hills(801, 603));
        using var folder = new TemporaryFolder();
        Open();
        string name = _browser.Run("""
            const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Picture' }).click()]);
            await download.saveAs(given);
            return download.suggestedFilename();
            """, folder.File("saved.png")).GetString()!;
        Assert.Matches(@"^desk .*\.png$", name);
        Picture read = PngReader.Read(File.ReadAllBytes(folder.File("saved.png")));
        Assert.Equal((801, 603), (read.Width, read.Height));
        Assert.True(read.Pixels.Span.SequenceEqual(shown.Pixels.Span));
    }

    [Fact]
    public void Who_may_only_look_sees_and_types_nothing()
    {
        JsonElement seen = _browser.Run($$"""
            await page.goto(given);
            {{Connected}}
            await page.locator('#screen canvas').click();
            await page.keyboard.type('abc');
            return {
              buttons: await page.getByRole('button').allInnerTexts(),
              options: await page.getByLabel('Size').locator('option').allInnerTexts(),
              errors,
            };
            """, _served.Link("desk", viewOnly: true));
        Assert.DoesNotContain("Ctrl-Alt-Del", seen.GetProperty("buttons").GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("Use keyboard", seen.GetProperty("buttons").GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("follows", seen.GetProperty("options").GetRawText(), StringComparison.Ordinal);
        Assert.Empty(_desk.Input);
    }

    [Fact]
    public void The_server_itself_refuses_the_keys_of_who_may_only_look()
    {
        // A page that was changed sends what it likes.
        _ = _browser.Run($$"""
            await page.route('**/console.js', async route => {
              const response = await route.fetch();
              await route.fulfill({ response, body: (await response.text()).replace('mine.viewOnly = !who.may_type', 'window.mine = mine').replace("who.may_type) {\n  byId('size')", "false) {\n  byId('size')") });
            });
            await page.goto(given);
            {{Connected}}
            await page.locator('#screen canvas').click();
            // The session ends once all of it has been read.
            await page.evaluate(() => { mine.resizeSession = true; mine.sendCtrlAltDel(); mine.disconnect(); });
            await page.goto('about:blank');
            """, _served.Link("desk", viewOnly: true));
        Workplace.Eventually(() => _served.Vgpus.Lent == 0);
        Assert.Empty(_desk.Input);
        Assert.Equal(new DisplayMode(1024, 768), _desk.Screen.Heads[0].PreferredMode);
    }

    [Fact]
    public void A_vGPU_that_stops_is_told_and_comes_back_by_itself()
    {
        Open();
        _served.Vgpus.Change(_desk, facts => facts with { State = ConsoleVgpuState.Stopped });
        Assert.Contains("desk is stopped", _browser.Run("await page.getByText('desk is stopped').waitFor(); return await page.locator('#status').textContent();").GetString(), StringComparison.Ordinal);
        _served.Vgpus.Change(_desk, facts => facts with { State = ConsoleVgpuState.Running });
        _ = _browser.Run(Connected);
    }

    [Fact]
    public void A_vGPU_that_is_not_there_is_said_not_to_be()
    {
        string status = _browser.Run("await page.goto(given); await page.getByText('There is no such vGPU').waitFor(); return await page.title();", _served.Link("nobody<script>")).GetString()!;
        Assert.Equal("No such vGPU", status);
    }

    [Fact]
    public void A_build_without_noVNC_says_how_to_get_it_and_takes_pictures_still()
    {
        using var folder = new TemporaryFolder();
        JsonElement seen = _browser.Run("""
            await page.route('**/api/session', async route => {
              const response = await route.fetch();
              await route.fulfill(response.status() === 200 ? { response, json: { ...await response.json(), novnc: null } } : { response });
            });
            await page.goto(given.link);
            await page.getByText('This build has no noVNC').waitFor();
            const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Picture' }).click()]);
            await download.saveAs(given.path);
            return { status: await page.locator('#status').textContent(), errors };
            """, new { link = _served.Link("desk"), path = folder.File("saved.png") });
        Assert.Contains("eng/npm novnc", seen.GetProperty("status").GetString(), StringComparison.Ordinal);
        Assert.Equal(640, PngReader.Read(File.ReadAllBytes(folder.File("saved.png"))).Width);
        Assert.Equal(0, seen.GetProperty("errors").GetArrayLength());
    }

    [Fact]
    public void The_keyboard_alone_reaches_everything_in_order()
    {
        Open();
        string[] path = [.. _browser.Run("""
            const path = [];
            await page.evaluate(() => document.activeElement.blur());
            for (let i = 0; i < 6; i++) {
              await page.keyboard.press('Tab');
              path.push(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
            }
            return path;
            """).EnumerateArray().Select(each => each.GetString()!)];
        Assert.Equal(["back", "type", "secure", "picture", "size", "full"], path);
    }

    [Fact]
    public void A_screen_reader_hears_what_is_what_and_how_to_get_out()
    {
        Open();
        string tree = _browser.Run("return await page.locator('body').ariaSnapshot();").GetString()!;
        Assert.All(
            ["- banner:", "- link \"All vGPUs\"", "- heading \"desk\" [level=1]", "Running", "- group \"Console\":", "- button \"Use keyboard\"", "- button \"Ctrl-Alt-Del\"", "- link \"Picture\"", "- combobox \"Size\"", "- button \"Full screen\"", "- main:", "- application \"Screen of desk\"", "- contentinfo:", "Ctrl", "gives it back to this page", "- status: Connected to desk"],
            part => Assert.Contains(part, tree, StringComparison.Ordinal));
    }

    [Fact]
    public void Full_screen_and_back()
    {
        Open();
        JsonElement seen = _browser.Run("""
            await page.getByRole('button', { name: 'Full screen' }).click();
            await page.waitForFunction(() => document.fullscreenElement?.id === 'main');
            await page.evaluate(() => document.exitFullscreen());
            await page.waitForFunction(() => !document.fullscreenElement);
            return errors;
            """);
        Assert.Equal(0, seen.GetArrayLength());
    }

    [Fact]
    public void A_telephone_types_with_its_own_keyboard_and_nothing_sticks_out()
    {
        _browser.Fresh(new { viewport = new { width = 360, height = 640 }, hasTouch = true, isMobile = true });
        Open();
        JsonElement seen = _browser.Run("""
            await page.getByRole('button', { name: 'Use keyboard' }).tap();
            const field = await page.evaluate(() => document.activeElement.id);
            await page.keyboard.insertText('vp');
            await page.keyboard.press('Backspace');
            await page.keyboard.press('Enter');
            return { field, inner: await page.evaluate(() => document.documentElement.scrollWidth), tall: await page.evaluate(() => document.documentElement.scrollHeight) };
            """);
        Assert.Equal("typing", seen.GetProperty("field").GetString());
        Assert.InRange(seen.GetProperty("inner").GetInt32(), 1, 360);
        Assert.InRange(seen.GetProperty("tall").GetInt32(), 1, 640);
        int[] expected = [KEY_V, -KEY_V, KEY_P, -KEY_P, KEY_BACKSPACE, -KEY_BACKSPACE, KEY_ENTER, -KEY_ENTER];
        Workplace.Eventually(() => _desk.Keys.Length >= expected.Length, $"keys: {string.Join(' ', _desk.Keys)}");
        Assert.Equal(expected, _desk.Keys);
    }

    // Opens desk's console and waits until its picture is there.
    private void Open() => _browser.Run($$"""
        await page.goto(given);
        {{Connected}}
        await page.waitForFunction(() => document.querySelector('#screen canvas').width > 0);
        """, _served.Link("desk"));
}
