using System.Text.Json;
using System.Xml.Linq;
using Vgpu.Linux;
using Vgpu.VfioUser;

namespace Vgpu.Cli.Tests;

/// <summary><c>vgpu serve</c>: what it says, how it ends and what it leaves.</summary>
public sealed class ServeTests : IDisposable
{
    private readonly Folder _folder = new();

    private string Socket => _folder["a.sock"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public void It_says_where_it_serves_and_a_signal_ends_it_with_nothing_left(string signal)
    {
        using var served = new Served(Socket, "--width", "800", "--height", "600", "--heads", "2", "--vram", "64");

        Assert.Equal($"vgpu: virtio-gpu 800x600, 2 head(s), 64 MiB, at {Socket}", served.FirstLine);
        Assert.Equal(["a.sock", "a.sock.screen"], _folder.Names);
        Outcome outcome = served.EndBy(signal);
        Assert.Equal(0, outcome.Status);
        Assert.Contains($"  attach: qemu-system-x86_64 -object memory-backend-memfd,id=mem0,size=2048M,share=on ", outcome.Output, StringComparison.Ordinal);
        Assert.Contains($"  look:   vgpu shot {Socket} picture.png\n", outcome.Output, StringComparison.Ordinal);
        Assert.Empty(_folder.Names);
    }

    [Fact]
    public void It_says_so_as_json()
    {
        using var served = new Served(Socket, "--json", "--device", "bochs", "--rom", "none");
        using var said = JsonDocument.Parse(served.FirstLine);

        Assert.Equal("bochs-display", said.RootElement.GetProperty("type").GetString());
        Assert.Equal(Socket, said.RootElement.GetProperty("socket").GetString());
        Assert.Equal(Socket + ".screen", said.RootElement.GetProperty("screen").GetString());
        using var device = JsonDocument.Parse(said.RootElement.GetProperty("qemu_device").GetString()!);
        Assert.Equal(Socket, device.RootElement.GetProperty("socket").GetProperty("path").GetString());
        Assert.Empty(served.EndBy("TERM").Output);
    }

    [Fact]
    public void Input_devices_are_served_beside_it_and_attached_with_it()
    {
        using var served = new Served(Socket, "--input");

        Assert.Equal(["a.sock", "a.sock.keyboard", "a.sock.screen", "a.sock.tablet"], _folder.Names);
        using var printed = JsonDocument.Parse(Cli.Run("qemu-args", Socket, "--bus", "port1", "--json").AssertDone());
        string[] words = [.. printed.RootElement.EnumerateArray().Select(word => word.GetString()!)];
        Assert.Equal([$"{Socket} port1", $"{Socket}.keyboard ", $"{Socket}.tablet "], words.Skip(6).Where(word => word != "-device").Select(Place));
        var domain = XElement.Parse(Cli.Run("qemu-args", Socket, "--libvirt").AssertDone());
        string[] values = [.. domain.Descendants().Attributes("value").Select(value => value.Value).Where(value => value != "-device")];
        Assert.Equal(3, values.Length);
        foreach ((string suffix, int slot) in ((string, int)[])[("", 0x10), (".keyboard", 0x11), (".tablet", 0x12)])
        {
            string end = $$"""{"path":"{{Socket}}{{suffix}}","type":"unix"},"bus":"pcie.0","addr":"0x{{slot:x}}"}""";
            Assert.Contains(values, value => value.EndsWith(end, StringComparison.Ordinal));
        }

        foreach (string name in (string[])["a.sock.keyboard", "a.sock.tablet"])
        {
            using VfioUserClient client = VfioUserClient.Connect(_folder[name]);
            _ = client.Negotiate();
            byte[] identity = new byte[4];
            client.RegionRead(Vfio.VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX, 0, identity);
            Assert.Equal([0xf4, 0x1a, 0x52, 0x10], identity);
        }

        Outcome outcome = served.EndBy("TERM");
        Assert.Contains($"{Socket}.keyboard", outcome.Output, StringComparison.Ordinal);
        Assert.Equal(0, outcome.Status);
        Assert.Empty(_folder.Names);
    }

    [Fact]
    public void A_touch_screen_is_served_where_it_is_asked_for()
    {
        using var served = new Served(Socket, "--json", "--input", "touch");
        using var said = JsonDocument.Parse(served.FirstLine);

        Assert.Equal(["a.sock", "a.sock.keyboard", "a.sock.screen", "a.sock.tablet", "a.sock.touch"], _folder.Names);
        Assert.Equal($"{Socket}.touch", said.RootElement.GetProperty("input").GetProperty("touch").GetString());
        Assert.Equal(3, said.RootElement.GetProperty("input").EnumerateObject().Count());
    }

    [Fact]
    public void A_client_attaches_and_a_shot_before_it_draws_says_so()
    {
        using var served = new Served(Socket);
        using VfioUserClient client = VfioUserClient.Connect(Socket);
        _ = client.Negotiate();
        Assert.True(client.GetDeviceInfo().RegionCount >= 9);

        Cli.Run("shot", Socket, _folder["a.png"]).AssertOneLine(1, $"head 0 of {Socket} shows nothing yet; try again");
        Cli.Run("shot", Socket, _folder["a.png"], "--head", "1").AssertOneLine(2, "has no head 1; --head is 0 to 0");
        Assert.Equal(["a.sock", "a.sock.screen"], _folder.Names);
        Assert.Equal(0, served.EndBy("TERM").Status);
        Assert.Empty(_folder.Names);
    }

    [Fact]
    public void A_live_server_keeps_its_socket()
    {
        using var served = new Served(Socket);

        Cli.Run("serve", "--socket", Socket).AssertOneLine(2, $"somebody listens at {Socket} already");
        using VfioUserClient client = VfioUserClient.Connect(Socket);
        _ = client.Negotiate();
        Cli.Run("shot", Socket, _folder["a.png"]).AssertOneLine(1, "shows nothing yet");
    }

    [Fact]
    public void A_killed_server_s_sockets_are_taken_over()
    {
        using (var killed = new Served(Socket))
        {
            Assert.Equal(137, killed.EndBy("KILL").Status);
        }

        Assert.Equal(["a.sock", "a.sock.screen"], _folder.Names);
        Cli.Run("shot", Socket, _folder["a.png"]).AssertOneLine(2, $"no vGPU is served at {Socket}");
        using var served = new Served(Socket);
        using VfioUserClient client = VfioUserClient.Connect(Socket);
        _ = client.Negotiate();
        Assert.Equal(0, served.EndBy("TERM").Status);
        Assert.Empty(_folder.Names);
    }

    [Fact]
    public void Two_processes_serve_a_vgpu_each()
    {
        using var first = new Served(Socket);
        using var second = new Served(_folder["b.sock"], "--device", "bochs");
        using VfioUserClient firstClient = VfioUserClient.Connect(Socket);
        using VfioUserClient secondClient = VfioUserClient.Connect(_folder["b.sock"]);
        _ = firstClient.Negotiate();
        _ = secondClient.Negotiate();

        Assert.Equal(0, first.EndBy("TERM").Status);
        Assert.True(secondClient.GetDeviceInfo().RegionCount >= 9);
        Assert.Equal(["b.sock", "b.sock.screen"], _folder.Names);
    }

    [Theory]
    [InlineData("a.sock")]
    [InlineData("a.sock.screen")]
    [InlineData("a.sock.tablet")]
    public void A_file_in_the_way_is_left_alone(string name)
    {
        File.WriteAllText(_folder[name], "mine");

        Cli.Run("serve", "--socket", Socket, "--input").AssertOneLine(2, $"{_folder[name]} is there and is no socket; move it away");
        Assert.Equal("mine", File.ReadAllText(_folder[name]));
        Assert.Equal([name], _folder.Names);
    }

    [Fact]
    public void A_path_that_no_socket_can_have_is_one_line()
    {
        File.WriteAllText(_folder["file"], string.Empty);
        string longest = _folder[new string('x', 100 - _folder["x"].Length + 1)];

        Cli.Run("serve", "--socket", _folder["none/a.sock"]).AssertOneLine(2, $"there is no folder {_folder["none"]} for the socket; make it");
        Cli.Run("serve", "--socket", _folder["file/a.sock"]).AssertOneLine(2, $"there is no folder {_folder["file"]} for the socket");
        Cli.Run("serve", "--socket", Path.GetDirectoryName(Socket)!).AssertOneLine(2, "is there and is no socket");
        Cli.Run("serve", "--socket", longest + "x").AssertOneLine(2, "too long for a Unix socket; choose a path of at most 100 bytes");
        Cli.Run("serve", "--socket", string.Empty).AssertOneLine(2, "an argument is empty");
        Cli.Run("serve", "--socket", longest, "--input").AssertOneLine(2, "too long for a Unix socket; choose a path of at most 98 bytes");
        Assert.Equal(["file"], _folder.Names);
        using var served = new Served(longest);
    }

    [Theory]
    [InlineData("63x768 is no mode; width and height are 64 to 16384", "--width", "63")]
    [InlineData("1024x16385 is no mode", "--height", "16385")]
    [InlineData("Cannot parse argument 'wide' for option '--width'", "--width", "wide")]
    [InlineData("virtio-gpu has 1 to 16 heads, not 17", "--heads", "17")]
    [InlineData("bochs-display has 1 to 1 heads, not 2", "--heads", "2", "--device", "bochs")]
    [InlineData("--vram is 1 to 65536 MiB, not 0", "--vram", "0")]
    [InlineData("'virtio-gpu', 'virtio-gpu-64m', 'virtio-gpu-128m', 'virtio-gpu-512m', 'virtio-gpu-1g', 'virtio-gpu-gl', 'bochs-display', 'bochs-display-4m', 'bochs-display-64m', 'bochs'", "--device", "voodoo")]
    [InlineData("'intx', 'msix'", "--interrupts", "msi")]
    [InlineData("'touch'; 'vgpu serve --help' shows how", "--input", "mouse")]
    [InlineData("no ROM image at /nowhere/rom.bin; give --rom a file or 'none'", "--device", "bochs", "--rom", "/nowhere/rom.bin")]
    [InlineData("'--colour' is no option here; 'vgpu serve --help' shows how", "--colour")]
    public void What_can_t_be_is_one_line(string text, params string[] options)
    {
        Cli.Run(["serve", "--socket", Socket, .. options]).AssertOneLine(2, text);
        Assert.Empty(_folder.Names);
    }

    [Fact]
    public void A_socket_s_mode_keeps_other_users_out()
    {
        using var served = new Served(Socket);

        Assert.All(_folder.Names, name => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder[name])));
        using UnixSocket screen = UnixSocket.Connect(Socket + ".screen");
    }

    private static string Place(string device)
    {
        using var parsed = JsonDocument.Parse(device);
        string bus = parsed.RootElement.TryGetProperty("bus", out JsonElement named) ? named.GetString()! : string.Empty;
        return $"{parsed.RootElement.GetProperty("socket").GetProperty("path").GetString()} {bus}";
    }
}
