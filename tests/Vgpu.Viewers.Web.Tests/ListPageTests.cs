using System.Text.Json;
using Vgpu.Testing;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>The list in a browser: signing in, what is seen and read aloud, and how it is used without a mouse.</summary>
[Collection(BrowserCollection.Name)]
public sealed class ListPageTests : IDisposable
{
    private readonly Browser _browser;
    private readonly Served _served = new();

    public ListPageTests(Browser browser)
    {
        _browser = browser;
        _browser.Fresh();
    }

    public void Dispose() => _served.Dispose();

    [Fact]
    public void A_link_signs_in_and_the_token_leaves_the_address_bar()
    {
        _ = _served.Vgpus.Add("desk");
        foreach (Uri link in new[] { _served.Link(), new Uri(_served.Uri, $"/?token={Served.Token}") })
        {
            _browser.Fresh();
            JsonElement seen = _browser.Run("""
                await page.goto(given);
                await page.getByRole('link', { name: 'desk' }).waitFor();
                const cookies = await context.cookies();
                return { url: page.url(), script: await page.evaluate(() => document.cookie), cookies, stored: await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage })), history: await page.evaluate(() => history.length), errors };
                """, link);
            Assert.Equal(_served.Uri.ToString(), seen.GetProperty("url").GetString()!.TrimEnd('#'));
            Assert.Equal(string.Empty, seen.GetProperty("script").GetString());
            Assert.DoesNotContain(Served.Token, seen.GetRawText(), StringComparison.Ordinal);
            JsonElement cookie = seen.GetProperty("cookies").EnumerateArray().Single();
            Assert.True(cookie.GetProperty("httpOnly").GetBoolean());
            Assert.Equal("Strict", cookie.GetProperty("sameSite").GetString());
            Assert.Equal(0, seen.GetProperty("errors").GetArrayLength());
        }
    }

    [Fact]
    public void A_wrong_token_is_said_to_be_one_and_a_right_one_typed_then_opens_the_page()
    {
        _ = _served.Vgpus.Add("desk");
        JsonElement seen = _browser.Run("""
            await page.goto(given.link);
            const wrong = await page.getByRole('alert').filter({ hasText: 'not this console' }).textContent();
            const before = await page.getByRole('listitem').count();
            const focused = await page.evaluate(() => document.activeElement.id);
            await page.keyboard.type('also-wrong-but-typed');
            await page.keyboard.press('Enter');
            await page.getByRole('alert').filter({ hasText: 'not this console' }).waitFor();
            await page.getByLabel('Token').fill(given.token);
            await page.keyboard.press('Enter');
            await page.getByRole('link', { name: 'desk' }).waitFor();
            return { wrong, before, focused, url: page.url() };
            """, new { link = new Uri(_served.Uri, "/#token=wrong-wrong-wrong-wrong"), token = Served.Token });
        Assert.Contains("not this console", seen.GetProperty("wrong").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, seen.GetProperty("before").GetInt32());
        Assert.Equal("token", seen.GetProperty("focused").GetString());
        Assert.Equal(_served.Uri.ToString(), seen.GetProperty("url").GetString());
    }

    [Fact]
    public void Every_vGPU_is_there_with_its_picture_and_what_changes_is_seen_and_told()
    {
        FakeVgpu desk = _served.Vgpus.Add("desk");
        _ = desk.Show(Pictures.Flat(800, 600, 20, 120, 220));
        FakeVgpu wall = _served.Vgpus.Add("wall", ConsoleVgpuState.Stopped);
        JsonElement first = _browser.Run("""
            await page.goto(given);
            await page.locator('canvas:not([hidden])').waitFor();
            return {
              cards: await page.getByRole('listitem').allInnerTexts(),
              pixel: await page.locator('canvas').first().evaluate(canvas => [...canvas.getContext('2d').getImageData(5, 5, 1, 1).data]),
            };
            """, _served.Link());
        string[] cards = [.. first.GetProperty("cards").EnumerateArray().Select(card => card.GetString()!)];
        Assert.Equal(2, cards.Length);
        Assert.All(["desk", "Running", "800 × 600", "96 MiB of 256 MiB"], part => Assert.Contains(part, cards[0], StringComparison.Ordinal));
        Assert.All(["wall", "Stopped", "no picture"], part => Assert.Contains(part, cards[1], StringComparison.Ordinal));
        Assert.Equal([20, 120, 220, 255], first.GetProperty("pixel").EnumerateArray().Select(each => each.GetInt32()));

        _served.Vgpus.Change(desk, facts => facts with { State = ConsoleVgpuState.Failed, Problem = "the renderer went away" });
        _served.Vgpus.Remove(wall);
        JsonElement then = _browser.Run("""
            await page.getByText('the renderer went away').waitFor();
            await page.waitForFunction(() => document.querySelectorAll('.card').length === 1);
            return { news: await page.getByRole('status').textContent(), card: await page.getByRole('listitem').innerText(), errors };
            """);
        Assert.Contains("Failed", then.GetProperty("card").GetString(), StringComparison.Ordinal);
        Assert.Matches("desk: Failed|wall is gone", then.GetProperty("news").GetString());
        Assert.Equal(0, then.GetProperty("errors").GetArrayLength());
    }

    [Fact]
    public void Nobody_looks_at_screens_while_the_page_is_hidden()
    {
        FakeVgpu desk = _served.Vgpus.Add("desk");
        _ = desk.Show(Pictures.Flat(800, 600, 20, 120, 220));
        JsonElement seen = _browser.Run("""
            await page.clock.install();
            await page.goto(given);
            await page.locator('canvas:not([hidden])').waitFor();
            const show = state => page.evaluate(state => {
              Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
              document.dispatchEvent(new Event('visibilitychange'));
            }, state);
            let count = 0;
            page.on('request', () => count++);
            await page.clock.runFor(10000);
            const visible = count;
            await show('hidden');
            // What was begun ends.
            await page.clock.runFor(10000);
            count = 0;
            await page.clock.runFor(600000);
            const hidden = count;
            const asked = page.waitForRequest(/thumbnail/);
            await show('visible');
            await page.clock.runFor(10000);
            await asked;
            return { visible, hidden };
            """, _served.Link());
        Assert.InRange(seen.GetProperty("visible").GetInt32(), 1, 10);
        Assert.Equal(0, seen.GetProperty("hidden").GetInt32());
    }

    [Fact]
    public void The_keyboard_alone_reaches_everything_and_the_focus_is_seen()
    {
        _ = _served.Vgpus.Add("desk");
        _ = _served.Vgpus.Add("wall");
        JsonElement path = _browser.Run("""
            await page.goto(given);
            await page.getByRole('link', { name: 'wall' }).waitFor();
            const path = [];
            for (let i = 0; i < 5; i++) {
              await page.keyboard.press('Tab');
              path.push(await page.evaluate(() => {
                const style = getComputedStyle(document.activeElement);
                const after = getComputedStyle(document.activeElement, '::after');
                return { text: document.activeElement.textContent.trim(), outlined: [style, after].some(each => each.outlineStyle === 'solid' && parseFloat(each.outlineWidth) >= 2) };
              }));
            }
            await page.keyboard.press('Enter');
            await page.waitForURL(/console/);
            return { path, url: page.url() };
            """, _served.Link());
        JsonElement[] steps = [.. path.GetProperty("path").EnumerateArray()];
        Assert.Equal(["Skip to the vGPUs", "vgpu", "Sign out", "desk", "wall"], steps.Select(step => step.GetProperty("text").GetString()));
        Assert.All(steps, step => Assert.True(step.GetProperty("outlined").GetBoolean(), step.GetRawText()));
        Assert.Contains("/console?vgpu=", path.GetProperty("url").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_screen_reader_hears_landmarks_headings_and_names()
    {
        FakeVgpu desk = _served.Vgpus.Add("desk");
        _ = desk.Show(Pictures.Flat(800, 600, 20, 120, 220));
        string tree = _browser.Run("""
            await page.goto(given);
            await page.locator('canvas:not([hidden])').waitFor();
            return await page.locator('body').ariaSnapshot();
            """, _served.Link()).GetString()!;
        Assert.All(
            ["- banner:", "- main:", "- heading \"vGPUs\" [level=1]", "- list \"vGPUs\":", "- heading \"desk\" [level=2]", "- img \"What desk shows\"", "Running", "96 MiB of 256 MiB", "- button \"Sign out\"", "- status"],
            part => Assert.Contains(part, tree, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(360, 640)]
    [InlineData(320, 480)]
    public void On_a_telephone_nothing_sticks_out(int width, int height)
    {
        FakeVgpu desk = _served.Vgpus.Add("a-desk-with-a-name-that-is-as-long-as-names-may-ever-become-here");
        _ = desk.Show(Pictures.Hills(1920, 1080));
        _browser.Fresh(new { viewport = new { width, height }, hasTouch = true, isMobile = true });
        JsonElement seen = _browser.Run("""
            await page.goto(given);
            await page.locator('canvas:not([hidden])').waitFor();
            return { inner: await page.evaluate(() => document.documentElement.scrollWidth), outer: await page.evaluate(() => innerWidth) };
            """, _served.Link());
        Assert.Equal(width, seen.GetProperty("outer").GetInt32());
        Assert.InRange(seen.GetProperty("inner").GetInt32(), 1, width);
    }

    [Fact]
    public void Another_origin_s_page_can_neither_read_nor_show_nor_frame_it()
    {
        FakeVgpu desk = _served.Vgpus.Add("desk");
        _ = desk.Show(Pictures.Flat(800, 600, 20, 120, 220));
        using var other = new Served();
        // Only what our server says may be in the way, not the other page's own policy.
        _browser.Fresh(new { bypassCSP = true });
        JsonElement seen = _browser.Run("""
            await page.goto(given.link);
            await page.locator('canvas:not([hidden])').waitFor();
            // The same host at another port: browsers send the cookie along.
            await page.goto(given.other);
            return await page.evaluate(async ({ origin, uuid }) => ({
              read: await fetch(`${origin}/api/vgpus`, { credentials: 'include' }).then(() => 'read', () => 'refused'),
              blind: await fetch(`${origin}/api/session`, { method: 'DELETE', mode: 'no-cors', credentials: 'include' }).then(() => 'sent', () => 'refused'),
              socket: await new Promise(done => {
                try {
                  const socket = new WebSocket(`${origin.replace('http', 'ws')}/api/vgpus/${uuid}/console`);
                  socket.onopen = () => done('open');
                  socket.onerror = () => done('refused');
                } catch { done('refused'); }
              }),
            }), given);
            """, new { link = _served.Link(), other = new Uri(other.Uri, "/style.css"), origin = _served.Origin, uuid = desk.Facts.Uuid });
        Assert.Equal("refused", seen.GetProperty("read").GetString());
        Assert.Equal("refused", seen.GetProperty("socket").GetString());
        // The cookie is still good.
        _ = _browser.Run("await page.goto(given); await page.getByRole('link', { name: 'desk' }).waitFor();", _served.Uri);
        Assert.Equal(0, _served.Vgpus.Lent);
    }

    [Fact]
    public void Light_and_dark_are_the_system_s_choice_and_both_can_be_read()
    {
        _ = _served.Vgpus.Add("desk");
        foreach (string scheme in new[] { "light", "dark" })
        {
            _browser.Fresh(new { colorScheme = scheme, reducedMotion = "reduce" });
            double worst = _browser.Run("""
                await page.goto(given);
                await page.getByRole('link', { name: 'desk' }).waitFor();
                return await page.evaluate(() => {
                  const parse = colour => colour.match(/[\d.]+/g).map(Number);
                  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
                  const behind = element => { for (; element; element = element.parentElement) { const c = parse(getComputedStyle(element).backgroundColor); if (c.length === 3 || c[3] === 1) { return c; } } return [255, 255, 255]; };
                  return Math.min(...[...document.querySelectorAll('h1, h2 a, dt, dd span, dd, .quiet, .word, button, .brand span, .blank')].filter(e => e.textContent.trim() && e.offsetParent).map(e => {
                    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
                    return (a + 0.05) / (b + 0.05);
                  }));
                });
                """, _served.Link()).GetDouble();
            Assert.True(worst >= 4.5, $"{scheme}: a contrast of {worst}");
        }
    }
}
