using Vgpu.Testing;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>Who comes in, and how.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class DoorTests
{
    [Fact]
    public void Only_who_knows_the_ticket_comes_in()
    {
        using var desk = new Desk();
        File.WriteAllText(desk.Folder.File("password"), "open sesame\nnot this\n");
        using SpiceProcess server = desk.Show(Desk.FreeAddress(), "--password-file", desk.Folder.File("password"));
        desk.AssertSeen(server, "-w", "open sesame");
        Assert.Null(SpiceClient.Screenshot(desk.Folder, server.Uri!, out _, "-w", "open says me"));
        Assert.Null(SpiceClient.Screenshot(desk.Folder, server.Uri!, out _));
        desk.AssertSeen(server, "-w", "open sesame");
    }

    [Fact]
    public void A_Unix_socket_is_its_owners_and_goes_with_the_server()
    {
        using var desk = new Desk();
        string path = desk.Folder.File("desk.spice");
        using SpiceProcess server = desk.Show(path);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        desk.AssertSeen(server);
        Assert.Equal(0, server.End());
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Over_TLS_a_client_trusts_the_authority_alone()
    {
        using var desk = new Desk();
        string[] tls = MakeCertificates(desk.Folder);
        using SpiceProcess server = desk.Show(Desk.FreeAddress(), tls);
        Assert.Null(SpiceClient.Screenshot(desk.Folder, server.Uri!, out _));
        Assert.Null(SpiceClient.Screenshot(desk.Folder, server.Uri!.Replace("?tls-port=", ":", StringComparison.Ordinal), out _));

        File.Copy(desk.Folder.File("ca.pem"), desk.Folder.File(SpiceClient.Authorities));
        desk.AssertSeen(server);
    }

    [Theory]
    [InlineData("0.0.0.0:5999")]
    [InlineData("[::]:5999")]
    [InlineData("192.0.2.1:5999")]
    public void Nobody_else_reaches_it_without_a_password(string address)
    {
        using var desk = new Desk();
        using SpiceProcess server = desk.Show(address);
        Assert.Null(server.Uri);
        Assert.Equal(SpiceProgram.BadUse, server.End());
        server.Errors.WaitFor("password file");
    }

    [Fact]
    public void An_address_in_use_is_said_in_one_line()
    {
        using var desk = new Desk();
        string address = Desk.FreeAddress();
        using SpiceProcess first = desk.Show(address);
        Assert.NotNull(first.Uri);
        using SpiceProcess second = desk.Show(address);
        Assert.Null(second.Uri);
        Assert.Equal(SpiceProgram.BadUse, second.End());
        second.Errors.WaitFor("can't listen at " + address);
        desk.AssertSeen(first);
    }

    [Fact]
    public void Without_the_library_one_line_says_what_to_install()
    {
        (_, string known) = Shell.Run("/sbin/ldconfig", "-p");
        string library = known.Split('\n').First(line => line.Contains("libspice-server.so.1", StringComparison.Ordinal)).Split("=> ")[1];
        using var desk = new Desk();
        using var server = new SpiceProcess(desk.Arguments(Desk.FreeAddress()), $"mount --bind /dev/null {library}");
        Assert.Null(server.Uri);
        Assert.Equal(SpiceProgram.BadUse, server.End());
        Assert.Equal("vgpu spice: libspice-server is missing; install it with: apt install libspice-server1", server.Errors.ToString());
    }

    [Theory]
    [InlineData("--feed is missing", "--address", "127.0.0.1:1")]
    [InlineData("--address is", "--feed", "/a", "--address", "example.org:1")]
    [InlineData("--address is", "--feed", "/a", "--address", "127.0.0.1")]
    [InlineData("no option --color", "--feed", "/a", "--color", "red")]
    [InlineData("--name needs a value", "--feed", "/a", "--name")]
    [InlineData("--head is a number", "--feed", "/a", "--address", "/b", "--head", "first")]
    [InlineData("TLS needs all", "--feed", "/a", "--address", "127.0.0.1:1", "--tls-cert", "/c")]
    [InlineData("can't be read", "--feed", "/a", "--address", "127.0.0.1:1", "--password-file", "/does/not/exist")]
    public void What_is_wrong_is_said(string expected, params string[] args)
    {
        Assert.False(SpiceProgramOptions.TryParse(args, out _, out string? error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    private static string[] MakeCertificates(TemporaryFolder folder)
    {
        (int status, string output) = Shell.Run("sh", "-ec", """
            cd "$0"
            openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 2 -subj "/CN=an authority"
            openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj "/CN=127.0.0.1"
            printf 'subjectAltName=IP:127.0.0.1' > names
            openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -out cert.pem -extfile names
            """, Path.GetDirectoryName(folder.File("x"))!);
        Assert.True(status == 0, output);
        return ["--tls-cert", folder.File("cert.pem"), "--tls-key", folder.File("key.pem"), "--tls-ca", folder.File("ca.pem")];
    }
}
