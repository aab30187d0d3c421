using Vgpu.Linux;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

// VFIO_USER_VERSION: the first message, and the only one of its kind.
internal sealed partial class VfioUserSession
{
    /// <summary>Descriptors that the client takes in one message.</summary>
    internal ulong ClientMaxMsgFds { get; private set; } = 1;

    private Errno Version(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out VersionMessage proposed) || !VfioUserCapabilities.TryParse(reader.Rest, out VfioUserCapabilities offered))
        {
            return Errno.EINVAL;
        }

        if (proposed.Major != VfioUserLimits.Major)
        {
            // No error reply: the specification asks for the end of the connection.
            End("it speaks another major version");
            return Errno.None;
        }

        // A twin socket would end with this process.
        offered = _replies.IsJournaled ? offered with { TwinSocket = null } : offered;
        byte[] capabilities = Answer(offered, payload.Length - VersionMessage.Length, out bool isTwin);
        var writer = new WireWriter(_replies.Begin(VersionMessage.Length + capabilities.Length));
        writer.Write(new VersionMessage { Major = VfioUserLimits.Major, Minor = Math.Min(proposed.Minor, (ushort)VfioUserLimits.Minor) });
        writer.Write(capabilities);
        ClientMaxMsgFds = offered.MaxMsgFds ?? 1;
        _device.Open();
        IsNegotiated = true;
        (UnixSocket? ours, UnixSocket? theirs) = isTwin ? UnixSocket.Pair() : (null, null);
        using (theirs)
        {
            _clientMemory.Open(offered.MaxDataXferSize ?? VfioUserLimits.MaxDataXferSize, ours, Thread.CurrentThread);
            _device.Iommu.ClientMemory = _clientMemory;
            _replies.CommitWithDescriptors(header, writer.Written.Length, theirs is null ? [] : [theirs.Descriptor]);
        }

        return Errno.None;
    }

    // A subset of what was offered. QEMU gives its reply no more room than its request took, so keys whose absence says
    // the same (max_data_xfer_size, max_dma_maps and pgsizes have our values as their defaults) go first where it is tight.
    private static byte[] Answer(VfioUserCapabilities offered, int room, out bool isTwin)
    {
        isTwin = offered.TwinSocket is true;
        var answer = new VfioUserCapabilities
        {
            MaxMsgFds = offered.MaxMsgFds is null ? null : VfioUserLimits.MaxMsgFds,
            MaxDataXferSize = offered.MaxDataXferSize is null ? null : VfioUserLimits.MaxDataXferSize,
            MaxDmaMaps = offered.MaxDmaMaps is null ? null : Math.Min(offered.MaxDmaMaps.Value, VfioUserLimits.MaxDmaMaps),
            PageSizes = offered.PageSizes is null ? null : VfioUserLimits.PageSizes,
            WriteMultiple = offered.WriteMultiple is true ? true : null,
            TwinSocket = isTwin ? true : null,
            TwinSocketFdIndex = isTwin ? 0 : null,
        };
        byte[] json = answer.Format();
        if (json.Length > room)
        {
            json = (answer with { MaxDataXferSize = null, MaxDmaMaps = null, PageSizes = null }).Format();
        }

        isTwin &= json.Length <= room;
        return json.Length > room ? [] : json;
    }
}
