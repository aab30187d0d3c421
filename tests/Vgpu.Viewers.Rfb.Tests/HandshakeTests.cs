using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Vgpu.Testing;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Who is let in, and how: versions, passwords, TLS, sockets.</summary>
public sealed class HandshakeTests
{
    private static readonly RfbServerOptions s_guarded = new() { Name = "guarded", Password = "secret", ViewOnlyPassword = "look" };

    [Theory]
    [InlineData("RFB 003.003\n")]
    [InlineData("RFB 003.005\n")]
    [InlineData("RFB 003.007\n")]
    [InlineData("RFB 003.008\n")]
    [InlineData("RFB 003.889\n")]
    public void Every_version_is_served(string version)
    {
        using var desk = new Desk(options: new RfbServerOptions { Name = "Büro" });
        string as38 = version is "RFB 003.889\n" ? "RFB 003.008\n" : version is "RFB 003.005\n" ? "RFB 003.003\n" : version;
        desk.ScribbleAll(new Random(1));
        using var viewer = new Viewer(desk.Address, as38);
        Assert.Equal("Büro", viewer.Name);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
    }

    [Theory]
    [InlineData("RFB 003.003\n")]
    [InlineData("RFB 003.007\n")]
    [InlineData("RFB 003.008\n")]
    public void A_password_lets_in_and_a_wrong_one_does_not(string version)
    {
        using var desk = new Desk(options: s_guarded);
        using var right = new Viewer(desk.Address, version, "secret");
        Assert.Equal((0u, "guarded"), (right.Result, right.Name));
        using var wrong = new Viewer(desk.Address, version, "Secret");
        Assert.Equal(1u, wrong.Result);
        wrong.Wire.AssertClosed();
        desk.Log.WaitFor("its password is wrong");
    }

    [Fact]
    public void Who_knows_the_other_password_may_look_and_not_type()
    {
        using var desk = new Desk(options: s_guarded);
        using var looker = new Viewer(desk.Address, password: "look");
        using var typist = new Viewer(desk.Address, password: "secret");
        looker.Key('a', true);
        looker.Pointer(1, 3, 3);
        looker.SetEncodings(RfbProtocol.EncodingExtendedDesktopSize);
        looker.SetDesktopSize(800, 600);
        while (looker.Decoder.Sizes.All(size => size.Reason != 1))
        {
            looker.Request(incremental: false);
            looker.Decoder.ReadUpdate();
        }

        Assert.Equal(RfbProtocol.ResizeProhibited, looker.Decoder.Sizes.Find(size => size.Reason == 1).Status);
        Assert.Empty(desk.Input.Reports);
        typist.Key('a', true);
        desk.Input.WaitFor(1);
    }

    [Fact]
    public void Guessing_becomes_slow_for_that_address_and_has_a_bound()
    {
        long now = 0;
        var guard = new PasswordGuard(() => now);
        int tries = 0;
        for (; now < 3_600_000; now += 100)
        {
            tries += guard.TryBegin("10.0.0.1:" + now) ? 1 : 0;
            Assert.True(guard.TryBegin("10.0.0.2:5900"));
            guard.Succeeded("10.0.0.2:5901");
        }

        Assert.InRange(tries, 3600 / 17, 240);
        for (int i = 0; i < 100_000; i++)
        {
            Assert.True(guard.TryBegin($"host{i}"));
        }

        now += 16_001;
        Assert.True(guard.TryBegin("10.0.0.1"));
    }

    [Fact]
    public void Too_many_wrong_passwords_close_the_door_for_a_while()
    {
        using var desk = new Desk(options: s_guarded);
        for (int i = 0; i <= PasswordGuard.Free; i++)
        {
            using var wrong = new Viewer(desk.Address, password: "guess");
            Assert.Equal(1u, wrong.Result);
        }

        using var right = new Viewer(desk.Address, password: "secret");
        Assert.Equal(1u, right.Result);
        Assert.StartsWith("Too many", Encoding.UTF8.GetString(right.Wire.Bytes((int)right.Wire.U32())), StringComparison.Ordinal);
        desk.Log.WaitFor("it guesses passwords");
    }

    [Theory]
    [InlineData(null, 260u)]
    [InlineData("secret", 261u)]
    public void Tls_goes_around_all_of_it(string? password, uint expected)
    {
        using X509Certificate2 certificate = Certificate();
        using var desk = new Desk(options: new RfbServerOptions { Name = "tls", Password = password, Certificate = certificate });
        using var wire = new Wire(desk.Address);
        wire.Bytes(12);
        wire.Send("RFB 003.008\n"u8);
        Assert.Equal([1, 19], wire.Bytes(2));
        wire.Send(19);
        Assert.Equal([0, 2], wire.Bytes(2));
        wire.Send(0, 2);
        Assert.Equal([0, 1], wire.Bytes(2));
        Assert.Equal(expected, wire.U32());
        wire.Send(Wire.B32(expected));
        Assert.Equal(1, wire.U8());
        using var tls = new SslStream(wire.Stream, false, (_, presented, _, _) => presented!.GetCertHashString() == certificate.GetCertHashString());
        tls.AuthenticateAsClient("desk");
        wire.Stream = tls;
        if (password is not null)
        {
            wire.Send(VncAuth.Answer(wire.Bytes(16), password));
        }

        Assert.Equal(0u, wire.U32());
        wire.Send(1);
        Assert.Equal((640, 480), (wire.U16(), wire.U16()));
    }

    [Theory]
    [InlineData("RFB 003.003\n", "no TLS")]
    [InlineData("RFB 003.008\n", "chose security type 1")]
    public void Where_TLS_is_required_nobody_comes_without(string version, string reason)
    {
        using X509Certificate2 certificate = Certificate();
        using var desk = new Desk(options: new RfbServerOptions { Name = "tls", Certificate = certificate });
        using var wire = new Wire(desk.Address);
        wire.Bytes(12);
        wire.Send([.. Encoding.ASCII.GetBytes(version), 1]);
        wire.AssertClosed();
        desk.Log.WaitFor(reason);
    }

    [Fact]
    public void Beyond_loopback_it_listens_only_with_a_password()
    {
        using var open = new Desk();
        var refused = Assert.Throws<ArgumentException>(() => RfbListener.Tcp(open.Server, new IPEndPoint(IPAddress.Any, 0), open.Log));
        Assert.Contains("password", refused.Message, StringComparison.Ordinal);
        using var guarded = new Desk(options: s_guarded);
        using RfbListener listener = RfbListener.Tcp(guarded.Server, new IPEndPoint(IPAddress.Any, 0), guarded.Log);
        using var viewer = new Viewer(new IPEndPoint(IPAddress.Loopback, listener.Port), password: "secret");
        Assert.Equal("guarded", viewer.Name);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("xxxxpppp", null)]
    [InlineData(null, "look")]
    public void Passwords_that_cannot_be_are_refused(string? password, string? viewOnly)
    {
        using var desk = new Desk();
        Assert.Throws<ArgumentException>(() => new RfbServer(desk.Screen, new RfbServerOptions { Name = "x", Password = password, ViewOnlyPassword = viewOnly }, desk.Log));
    }

    [Fact]
    public void A_Unix_socket_is_its_owners_alone_and_goes_with_the_listener()
    {
        using var folder = new TemporaryFolder();
        using var desk = new Desk();
        string path = folder.File("vnc");
        using (RfbListener listener = RfbListener.Unix(desk.Server, path, desk.Log))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            using Vgpu.Linux.UnixSocket socket = Vgpu.Linux.UnixSocket.Connect(path);
            var version = new byte[12];
            Assert.Equal(12, socket.Receive(version, [], out _, out _));
            Assert.Equal("RFB 003.008\n"u8.ToArray(), version);
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Who_asks_to_be_alone_is_where_that_is_honoured()
    {
        using var desk = new Desk(options: new RfbServerOptions { Name = "desk", HonoursExclusive = true });
        using var first = new Viewer(desk.Address);
        using var second = new Viewer(desk.Address);
        first.Request(incremental: false);
        first.Decoder.ReadUpdate();
        using var alone = new Viewer(desk.Address, shared: false);
        first.Wire.AssertClosed();
        second.Wire.AssertClosed();
        desk.Log.WaitFor("asked to be alone");
        alone.Request(incremental: false);
        alone.Follow(desk);
    }

    [Fact]
    public void Whoever_is_sent_away_is_in_the_log_with_the_reason()
    {
        using var desk = new Desk(options: new RfbServerOptions { Name = "desk", HonoursExclusive = true });
        List<Viewer> others = [.. Enumerable.Range(0, 16).Select(_ => new Viewer(desk.Address))];
        using var alone = new Viewer(desk.Address, shared: false);
        others.ForEach(viewer => viewer.Wire.AssertClosed());
        Workplace.Eventually(() => desk.Server.ViewerCount == 1, "the others stay");
        Workplace.Eventually(() => desk.Log.Count("asked to be alone") == others.Count, string.Join('\n', desk.Log.Lines));
        others.ForEach(viewer => viewer.Dispose());
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=desk", key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }
}
