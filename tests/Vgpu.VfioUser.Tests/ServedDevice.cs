using System.Globalization;
using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

/// <summary>A fake device behind a listening server of its own.</summary>
internal sealed class ServedDevice : IDisposable
{
    private static int _count;

    internal ServedDevice(VfioUserServerOptions? options = null, uint interrupts = 8)
    {
        Device = new FakeDevice(interrupts);
        string name = string.Create(CultureInfo.InvariantCulture, $"vgpu-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}.sock");
        SocketPath = Path.Combine(Path.GetTempPath(), name);
        Server = new VfioUserServer(SocketPath, Device, Log, options);
        Server.Start();
    }

    internal string SocketPath { get; }

    internal FakeDevice Device { get; }

    internal ListLogger Log { get; } = new();

    internal VfioUserServer Server { get; }

    /// <summary>A client that has said nothing yet.</summary>
    internal VfioUserClient Connect() => VfioUserClient.Connect(SocketPath);

    internal VfioUserClient Negotiated()
    {
        VfioUserClient client = Connect();
        _ = client.Negotiate();
        return client;
    }

    public void Dispose()
    {
        Server.Dispose();
        Device.Dispose();
    }

    /// <summary>The server ends the conversation, and sends nothing before it.</summary>
    internal static void AssertClosed(VfioUserClient client)
    {
        var e = Assert.Throws<VfioUserException>(() => { _ = client.Receive(out _); });
        Assert.Equal(Errno.ECONNRESET, e.Errno);
    }

    /// <summary>The next reply is this error, to this message.</summary>
    internal static void AssertRefused(VfioUserClient client, ushort id, VfioUserCommand command, Errno errno)
    {
        Assert.True(client.Receive(out VfioUserHeader header).IsEmpty);
        Assert.Equal(
            (id, command, VfioUserFlags.VFIO_USER_REPLY | VfioUserFlags.VFIO_USER_ERROR, errno),
            (header.MessageId, header.Command, header.Flags, (Errno)header.Error));
    }
}
