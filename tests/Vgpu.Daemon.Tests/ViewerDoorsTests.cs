using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Vgpu.Api;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>Whom the viewers let in beside those with a secret, and where they listen.</summary>
public sealed class ViewerDoorsTests
{
    private const uint Owner = 12_345;
    private const uint Stranger = 12_346;

    // curl(1): it could not connect.
    private const int NotConnected = 7;

    [Fact]
    public void An_owner_reaches_their_sockets_and_addresses_and_another_user_does_not()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root makes instances for others");
        using var daemon = new RunningDaemon(string.Empty);
        daemon.Start();
        Succeed("chmod", "711", daemon.Folder);
        Api.Instance desk;
        using (ApiClient client = daemon.Client())
        {
            desk = client.Create(new CreateBody { Parent = "software0", Type = "virtio-gpu-64m", Name = "desk", Owner = new OwnerBody { Uid = Owner, Gid = Owner } });
        }

        using var vm = new DrawingClient(desk.Paths!.Socket);
        vm.Draw(1);
        Workplace.Eventually(() => daemon.Vgpu("view", "desk").Status == 0, "nobody shows it");
        string readOnly = Path.Combine(daemon.Run, DaemonPaths.ReadOnlySocket);
        (int status, string printed) = As(Owner, "dotnet", Cli.Tests.Cli.Program, "view", "desk", "--json", "--socket", readOnly);
        Assert.True(status == 0, printed);
        ViewerAddresses theirs = System.Text.Json.JsonSerializer.Deserialize(printed, ApiJson.Viewers)!;

        string spice = new Uri(theirs.SpiceSocket!).AbsolutePath;
        foreach (string socket in (string[])[theirs.VncSocket!, spice])
        {
            Assert.NotEqual(NotConnected, As(Owner, "curl", "--silent", "--max-time", "2", "--unix-socket", socket, "http://desk/").Status);
            Assert.Equal(NotConnected, As(Stranger, "curl", "--silent", "--max-time", "2", "--unix-socket", socket, "http://desk/").Status);
        }

        (status, printed) = As(Stranger, "dotnet", Cli.Tests.Cli.Program, "view", "desk", "--socket", readOnly);
        Assert.Equal(1, status);
        Assert.Contains("you have no instance 'desk'", printed, StringComparison.Ordinal);

        // The process that parses what SPICE clients send is the owner's, and shows their screen.
        using var eyes = new Eyes();
        Assert.NotNull(eyes.BySpice(theirs.SpiceSocket!));
        int child = Assert.Single(ChildProcesses.Of(daemon.Viewers, desk.Paths.Screen));
        Assert.Contains($"Uid:\t{Owner}\t{Owner}\t{Owner}\t{Owner}\n", File.ReadAllText($"/proc/{child}/status"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("can be reached from other machines", "--web", "0.0.0.0:6099")]
    [InlineData("can be reached from other machines", "--web", "[::]:6099")]
    [InlineData("is no place for the browser's console", "--web", "everywhere")]
    [InlineData("there is no file /does/not/exist", "--web", "0.0.0.0:6099", "--web-cert", "/does/not/exist")]
    [InlineData("--web-key needs --web-cert", "--web-key", "/dev/null")]
    public void The_console_is_refused_where_others_would_read_along(string why, params string[] words)
    {
        using var folder = new TemporaryFolder();
        (int status, string output) = RunningDaemon.Second(folder.File("state"), folder.File("run"), folder.File("tree"), words);
        Assert.Equal(2, status);
        Assert.Matches($"^vgpud: [^\n]*{System.Text.RegularExpressions.Regex.Escape(why)}[^\n]*\n$", output);
    }

    [Fact]
    public void The_console_speaks_HTTPS_where_it_has_a_certificate()
    {
        using var folder = new TemporaryFolder();
        (string certificate, string key) = (folder.File("cert.pem"), folder.File("key.pem"));
        Succeed("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=a host");
        using var daemon = new RunningDaemon(string.Create(CultureInfo.InvariantCulture, $"--web 0.0.0.0:{FreePort()} --web-cert '{certificate}' --web-key '{key}'"));
        daemon.Start();
        daemon.Vgpu("create", "software0", "virtio-gpu-64m", "--name", "desk").AssertDone();
        ViewerAddresses? seen = null;
        Workplace.Eventually(() =>
        {
            using ApiClient client = daemon.Client();
            try
            {
                seen = client.Viewers("desk");
                return true;
            }
            catch (ApiException e) when (e.Status == 404)
            {
                return false;
            }
        }, "nobody shows it: " + string.Join('\n', daemon.Log));
        Assert.StartsWith("https://", seen!.Web, StringComparison.Ordinal);
        using var eyes = new Eyes(File.ReadAllText(certificate));
        Assert.Equal(HttpStatusCode.OK, eyes.ByWeb(seen.Web!, "/api/vgpus", Eyes.TokenOf(seen.Web!)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, eyes.ByWeb(seen.Web!, "/api/vgpus", token: null).Status);
    }

    private static (int Status, string Output) As(uint user, params IEnumerable<string> command) =>
        Shell.Run("setpriv", [$"--reuid={user}", $"--regid={user}", "--clear-groups", .. command]);

    private static void Succeed(string program, params string[] arguments)
    {
        (int status, string output) = Shell.Run(program, arguments);
        Assert.True(status == 0, output);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
