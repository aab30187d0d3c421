using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Vgpu.Api;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>The daemon's viewers as a whole: what a guest draws is what stock clients see, at the addresses that are printed.</summary>
public sealed class ViewersTests : IDisposable
{
    private const string Type = "virtio-gpu-64m";

    private readonly RunningDaemon _daemon = new(string.Empty);
    private readonly Eyes _eyes = new();

    public void Dispose()
    {
        _eyes.Dispose();
        _daemon.Dispose();
    }

    [Fact]
    public void Every_viewer_shows_what_the_guest_draws()
    {
        _daemon.Start();
        using var vm = new DrawingClient(Create("desk"));
        ViewerAddresses seen = Addresses("desk");
        for (int i = 1; i < 3; i++)
        {
            vm.Draw(i);
            AssertShown(vm, () => _eyes.ByVnc(seen.Vnc!, seen.VncPassword));
            AssertShown(vm, () => _eyes.ByVncSocket(seen.VncSocket!));
            AssertShown(vm, () => _eyes.BySpice(seen.Spice!, seen.SpicePassword));
            AssertShown(vm, () => _eyes.BySpice(seen.SpiceSocket!));
            AssertShown(vm, () => WebPicture(seen, "desk"));
        }

        string show = _daemon.Vgpu("show", "desk").AssertDone();
        string view = _daemon.Vgpu("view", "desk").AssertDone();
        foreach (string? address in (string?[])[seen.Vnc, seen.VncSocket, seen.Spice, seen.SpiceSocket])
        {
            Assert.Contains($" {address}\n", show, StringComparison.Ordinal);
            Assert.Contains($" {address}", view, StringComparison.Ordinal);
        }

        string toLook = _daemon.Vgpu("view", "--view-only", "desk").AssertDone();
        foreach ((string? secret, bool mayType) in (ReadOnlySpan<(string?, bool)>)
        [
            (seen.VncPassword, true), (seen.SpicePassword, true), (Eyes.TokenOf(seen.Web!), true),
            (seen.VncViewOnlyPassword, false), (Eyes.TokenOf(seen.WebViewOnly!), false),
        ])
        {
            Assert.DoesNotContain(secret!, show, StringComparison.Ordinal);
            Assert.Contains(secret!, mayType ? view : toLook, StringComparison.Ordinal);
            Assert.DoesNotContain(secret!, mayType ? toLook : view, StringComparison.Ordinal);
            Assert.DoesNotContain(_daemon.Log, line => line.Contains(secret!, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Who_does_not_know_the_secret_sees_nothing()
    {
        _daemon.Start();
        using var vm = new DrawingClient(Create("desk"));
        vm.Draw(1);
        ViewerAddresses seen = Addresses("desk");
        Assert.Null(_eyes.ByVnc(seen.Vnc!, "wrong"));
        Assert.Null(_eyes.BySpice(seen.Spice!, "wrong"));
        Assert.Null(_eyes.BySpice(seen.Spice!));
        foreach (string path in (string[])["/api/vgpus", "/api/session", $"/api/vgpus/{Uuid("desk")}/picture.png"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, _eyes.ByWeb(seen.Web!, path, token: null).Status);
            Assert.Equal(HttpStatusCode.Unauthorized, _eyes.ByWeb(seen.Web!, path, "correct-horse-battery").Status);
        }

        AssertShown(vm, () => _eyes.BySpice(seen.Spice!, seen.SpicePassword));
    }

    [Fact]
    public void The_console_lists_what_there_is()
    {
        _daemon.Start();
        Create("desk");
        Create("table");
        ViewerAddresses seen = Addresses("desk");
        _daemon.Vgpu("stop", "table").AssertDone();
        Workplace.Eventually(
            () =>
            {
                JsonElement list = JsonDocument.Parse(_eyes.ByWeb(seen.Web!, "/api/vgpus", Eyes.TokenOf(seen.Web!)).Body).RootElement;
                List<string> vgpus = [.. list.GetProperty("vgpus").EnumerateArray().Select(vgpu => $"{vgpu.GetProperty("name")} {vgpu.GetProperty("uuid")} {vgpu.GetProperty("state")}").Order(StringComparer.Ordinal)];
                return vgpus.SequenceEqual([$"desk {Uuid("desk")} running", $"table {Uuid("table")} stopped"]);
            },
            "the list is another");
    }

    [Fact]
    public void A_stopped_instance_is_shown_by_nobody_and_a_started_one_again()
    {
        _daemon.Start();
        string path = Create("desk");
        ViewerAddresses seen;
        using (var vm = new DrawingClient(path))
        {
            vm.Draw(1);
            seen = Addresses("desk");
            AssertShown(vm, () => _eyes.BySpice(seen.Spice!, seen.SpicePassword));
        }

        using var viewer = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        viewer.Connect(new UnixDomainSocketEndPoint(seen.VncSocket!));
        _daemon.Vgpu("stop", "desk").AssertDone();
        AwaitNotShown("desk");
        byte[] some = new byte[64];
        while (viewer.Receive(some) > 0)
        {
        }

        Assert.False(File.Exists(seen.VncSocket));
        Assert.False(File.Exists(new Uri(seen.SpiceSocket!).AbsolutePath));
        Assert.False(Listens(seen.Vnc!) || Listens(new Uri(seen.Spice!).Authority));

        _daemon.Vgpu("start", "desk").AssertDone();
        using var next = new DrawingClient(path);
        next.Draw(2);
        ViewerAddresses now = Addresses("desk");
        AssertShown(next, () => _eyes.ByVnc(now.Vnc!, now.VncPassword));
        AssertShown(next, () => _eyes.BySpice(now.SpiceSocket!));
    }

    [Fact]
    public void Killed_viewers_come_back_where_they_were_and_the_VM_notices_nothing()
    {
        _daemon.Start();
        string path = Create("desk");
        ViewerAddresses before = Addresses("desk");
        using (var vm = new DrawingVm("desk", path))
        {
            for (int i = 0; i < 2; i++)
            {
                Assert.NotNull(_eyes.BySpice(before.Spice!, before.SpicePassword));
                int pid = _daemon.Viewers;
                Workplace.Signal(pid, "KILL");
                Workplace.Eventually(() => _daemon.Viewers != pid, "nobody comes for it");
                Workplace.Eventually(() => Web(before.Web!) is not null && Listens(before.Vnc!) && Listens(new Uri(before.Spice!).Authority) && Try("desk") == before, $"{before} does not come back, but {Try("desk")}: " + string.Join('\n', _daemon.Log));
                vm.AwaitPicture();
                Assert.NotNull(_eyes.ByVnc(before.Vnc!, before.VncPassword));
            }

            vm.End();
        }

        Assert.Equal(2, _daemon.Log.Count(line => line == "vgpud: warning: the viewers' process ended; another one is started"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_next_daemon_has_viewers_too_and_the_VM_notices_nothing(bool killed)
    {
        _daemon.Start();
        string path = Create("desk");
        ViewerAddresses before = Addresses("desk");
        using (var vm = new DrawingVm("desk", path))
        {
            Assert.NotNull(_eyes.BySpice(before.Spice!, before.SpicePassword));
            int pid = _daemon.Viewers;
            (killed ? (Action)_daemon.Kill : _daemon.End)();
            _daemon.Start();
            Workplace.Eventually(() => _daemon.Viewers != pid, "the viewers of before stay");
            vm.AwaitPicture();
            vm.End();
        }

        // Nobody draws now.
        using var next = new DrawingClient(path);
        next.Draw(77);
        ViewerAddresses now = Addresses("desk");
        AssertShown(next, () => _eyes.ByVnc(now.Vnc!, now.VncPassword));
        AssertShown(next, () => _eyes.BySpice(now.Spice!, now.SpicePassword));
        AssertShown(next, () => WebPicture(now, "desk"));
    }

    [Fact]
    public void Nothing_of_the_viewers_is_left_after_the_daemon()
    {
        _daemon.Start();
        string path = Create("desk");
        using (var vm = new DrawingClient(path))
        {
            vm.Draw(1);
            ViewerAddresses seen = Addresses("desk");
            AssertShown(vm, () => _eyes.BySpice(seen.SpiceSocket!));
        }

        using (ApiClient client = _daemon.Client())
        {
            client.Remove("desk", force: true);
        }

        // The lock of the place is held by whatever was started here, children of viewers too.
        _daemon.AssertNothingLeft();
        Assert.Equal(["lock", "port", "token", "view-token"], Directory.EnumerateFileSystemEntries(Path.Combine(_daemon.Run, ViewerPaths.Folder)).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_the_SPICE_library_one_line_says_what_to_install_and_all_else_works()
    {
        (_, string known) = Shell.Run("/sbin/ldconfig", "-p");
        string library = known.Split('\n').First(line => line.Contains("libspice-server.so.1", StringComparison.Ordinal)).Split("=> ")[1];
        _daemon.Start($"unshare --mount --propagation private -- bash -c 'mount --bind /dev/null {library} && exec \"$0\" \"$@\"'");
        using var vm = new DrawingClient(Create("desk"));
        vm.Draw(1);
        ViewerAddresses seen = Addresses("desk");
        Assert.Equal((null, null, null), (seen.Spice, seen.SpicePassword, seen.SpiceSocket));
        Assert.DoesNotContain("spice", _daemon.Vgpu("show", "desk").AssertDone() + _daemon.Vgpu("view", "desk").AssertDone(), StringComparison.Ordinal);
        AssertShown(vm, () => _eyes.ByVnc(seen.Vnc!, seen.VncPassword));
        Assert.Single(_daemon.Log, line => line.Contains("apt install libspice-server1", StringComparison.Ordinal));
    }

    [Fact]
    public void The_viewers_heap_is_bounded()
    {
        _daemon.Start();
        Create("desk");
        _ = Addresses("desk");
        Assert.Contains("DOTNET_GCHeapHardLimit=0x80000000", File.ReadAllText($"/proc/{_daemon.Viewers}/environ").Split('\0'));
    }

    private string Create(string name)
    {
        using ApiClient client = _daemon.Client();
        return client.Create(new CreateBody { Parent = "software0", Type = Type, Name = name }).Paths!.Socket;
    }

    private Guid Uuid(string name)
    {
        using ApiClient client = _daemon.Client();
        return client.Find(name).Uuid;
    }

    // Once there are any.
    private ViewerAddresses Addresses(string name)
    {
        using ApiClient client = _daemon.Client();
        ViewerAddresses? found = null;
        Workplace.Eventually(() => (found = Try(client, name)) is not null, "nobody shows it: " + string.Join('\n', _daemon.Log));
        return found!;
    }

    private void AwaitNotShown(string name)
    {
        using ApiClient client = _daemon.Client();
        Workplace.Eventually(() => Try(client, name) is null, "it is shown still");
        _daemon.Vgpu("view", name).AssertOneLine(1, $"nobody shows {name}");
    }

    private ViewerAddresses? Try(string name)
    {
        using ApiClient client = _daemon.Client();
        return Try(client, name);
    }

    private static ViewerAddresses? Try(ApiClient client, string name)
    {
        try
        {
            return client.Viewers(name);
        }
        catch (ApiException e) when (e.Status == 404)
        {
            return null;
        }
    }

    // What was drawn last is what is seen, as soon as it has come there.
    private static void AssertShown(DrawingClient vm, Func<Picture?> look)
    {
        Picture? seen = null;
        for (int i = 0; i < 20; i++)
        {
            seen = look();
            if (seen is { Width: DrawingClient.Width, Height: DrawingClient.Height } && IsSame(seen.Pixels.Span, vm.Pixels))
            {
                return;
            }
        }

        Assert.Fail(seen is null ? "nothing is seen" : $"another picture is seen, {seen.Width}x{seen.Height}");
    }

    // The fourth byte is nobody's.
    private static bool IsSame(ReadOnlySpan<byte> seen, ReadOnlySpan<byte> drawn)
    {
        for (int i = 0; i < drawn.Length; i++)
        {
            if (i % 4 != 3 && seen[i] != drawn[i])
            {
                return false;
            }
        }

        return true;
    }

    private Picture? WebPicture(ViewerAddresses seen, string name)
    {
        (HttpStatusCode status, byte[] body) = _eyes.ByWeb(seen.Web!, $"/api/vgpus/{Uuid(name)}/picture.png", Eyes.TokenOf(seen.Web!));
        return status == HttpStatusCode.OK ? PngReader.Read(body) : null;
    }

    private HttpStatusCode? Web(string address)
    {
        try
        {
            return _eyes.ByWeb(address, "/", token: null).Status;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static bool Listens(string address)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPEndPoint.Parse(address));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
