using System.Buffers.Binary;
using System.Net.Security;
using System.Security.Cryptography;
using System.Text;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// The beginning of a conversation (RFC 6143, 7.1 to 7.3): version, security, and what the two tell each other. Every answer
/// that is waited for has a fixed length. Throws <see cref="RfbViolationException"/> for what ends it.
/// </summary>
internal sealed class RfbHandshake(RfbServerOptions options, RfbPeer peer, PasswordGuard guard, Stream stream, CancellationToken end)
{
    private const int VersionLength = 12;
    private static readonly byte[] s_version = "RFB 003.008\n"u8.ToArray();

    private readonly byte[] _received = new byte[VncAuth.ChallengeSize];
    private int _minor;

    /// <summary>What the conversation goes on over: the stream that was given, or TLS over it.</summary>
    internal Stream Stream { get; private set; } = stream;

    /// <summary>It knows a password that lets it look only.</summary>
    internal bool IsViewOnly { get; private set; }

    /// <summary>Whether the viewer would share the screen with others.</summary>
    internal bool IsShared { get; private set; }

    private bool NeedsPassword => options.Password is not null && !peer.IsTrusted;

    private bool NeedsTls => options is { Certificate: not null, RequiresTls: true } && !peer.IsTrusted;

    /// <summary>Until the viewer has been let in, and has asked for the screen: ServerInit is the caller's to send.</summary>
    internal async Task Run()
    {
        await Send(s_version);
        ReadVersion(await Receive(VersionLength));
        if (_minor == 3)
        {
            await Security33();
        }
        else
        {
            await Security37();
        }

        IsShared = (await Receive(1)).Span[0] != 0;
    }

    private void ReadVersion(ReadOnlyMemory<byte> version)
    {
        ReadOnlySpan<byte> text = version.Span;
        if (!text.StartsWith("RFB "u8) || text[7] != '.' || text[11] != '\n'
            || !int.TryParse(text[4..7], out int major) || !int.TryParse(text[8..11], out int minor) || major < 3)
        {
            throw new RfbViolationException("it speaks no RFB");
        }

        // Some viewers announce versions that were never published: 3.4 to 3.6 count as 3.3, what comes later as 3.8.
        _minor = major > 3 || minor >= 8 ? 8 : minor == 7 ? 7 : 3;
    }

    // The server decides, and there is no word for TLS (7.1.2).
    private async Task Security33()
    {
        if (NeedsTls)
        {
            await SendU32(RfbProtocol.SecurityInvalid);
            await SendReason("This screen is shown through TLS only.");
            throw new RfbViolationException("it speaks RFB 3.3, which has no TLS");
        }

        await SendU32(NeedsPassword ? RfbProtocol.SecurityVncAuth : RfbProtocol.SecurityNone);
        if (NeedsPassword)
        {
            await AskPassword();
        }
    }

    private async Task Security37()
    {
        byte plain = NeedsPassword ? RfbProtocol.SecurityVncAuth : RfbProtocol.SecurityNone;
        bool offersTls = options.Certificate is not null && !peer.IsTrusted;
        byte[] offer = (offersTls, NeedsTls) switch
        {
            (true, true) => [1, RfbProtocol.SecurityVeNCrypt],
            (true, false) => [2, RfbProtocol.SecurityVeNCrypt, plain],
            _ => [1, plain],
        };
        await Send(offer);
        byte chosen = (await Receive(1)).Span[0];
        if (chosen == 0 || !offer.AsSpan(1).Contains(chosen))
        {
            throw new RfbViolationException($"it chose security type {chosen}, which it was not offered");
        }

        if (chosen == RfbProtocol.SecurityVeNCrypt)
        {
            await StartTls();
        }

        if (NeedsPassword)
        {
            await AskPassword();
        }
        else if (_minor == 8 || chosen == RfbProtocol.SecurityVeNCrypt)
        {
            await SendU32(0);
        }
    }

    // rfbproto, "VeNCrypt", version 0.2.
    private async Task StartTls()
    {
        await Send(new byte[] { 0, 2 });
        ReadOnlyMemory<byte> version = await Receive(2);
        if (version.Span is not [0, 2])
        {
            await Send(new byte[] { 1 });
            throw new RfbViolationException($"it speaks VeNCrypt {version.Span[0]}.{version.Span[1]}, not 0.2");
        }

        uint type = NeedsPassword ? RfbProtocol.VeNCryptX509Vnc : RfbProtocol.VeNCryptX509None;
        await Send(new byte[] { 0, 1, 0, 0, (byte)(type >> 8), (byte)type });
        uint chosen = BinaryPrimitives.ReadUInt32BigEndian((await Receive(4)).Span);
        if (chosen != type)
        {
            await Send(new byte[] { 0 });
            throw new RfbViolationException($"it chose VeNCrypt's type {chosen}, which it was not offered");
        }

        await Send(new byte[] { 1 });
        var tls = new SslStream(Stream, leaveInnerStreamOpen: true);
        Stream = tls;
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = options.Certificate }, end);
    }

    private async Task AskPassword()
    {
        byte[] challenge = RandomNumberGenerator.GetBytes(VncAuth.ChallengeSize);
        await Send(challenge);
        ReadOnlyMemory<byte> answer = await Receive(VncAuth.ChallengeSize);
        if (!guard.TryBegin(peer.Name))
        {
            await Refuse("Too many wrong passwords: wait a little.");
            throw new RfbViolationException("it guesses passwords: it has to wait");
        }

        bool isRight = VncAuth.IsRight(challenge, answer.Span, options.Password!);
        bool mayLook = options.ViewOnlyPassword is not null && VncAuth.IsRight(challenge, answer.Span, options.ViewOnlyPassword);
        if (!isRight && !mayLook)
        {
            await Refuse("The password is wrong.");
            throw new RfbViolationException("its password is wrong");
        }

        guard.Succeeded(peer.Name);
        IsViewOnly = !isRight;
        await SendU32(0);
    }

    // SecurityResult; before 3.8 there is no reason (7.1.3).
    private async Task Refuse(string reason)
    {
        await SendU32(1);
        if (_minor == 8)
        {
            await SendReason(reason);
        }
    }

    private Task SendReason(string reason)
    {
        var bytes = new byte[4 + Encoding.UTF8.GetByteCount(reason)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length - 4);
        Encoding.UTF8.GetBytes(reason, bytes.AsSpan(4));
        return Send(bytes);
    }

    private Task SendU32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return Send(bytes);
    }

    private async Task Send(ReadOnlyMemory<byte> bytes)
    {
        await Stream.WriteAsync(bytes, end);
        await Stream.FlushAsync(end);
    }

    private async Task<ReadOnlyMemory<byte>> Receive(int length)
    {
        await Stream.ReadExactlyAsync(_received.AsMemory(0, length), end);
        return _received.AsMemory(0, length);
    }
}
