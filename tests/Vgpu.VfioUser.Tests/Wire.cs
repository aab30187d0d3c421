using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

/// <summary>Bytes as a client would send them, right or wrong.</summary>
internal static class Wire
{
    // What QEMU 11.1 proposes: 214 bytes with the header.
    internal const string QemuCapabilities =
        "{\"capabilities\": {\"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\": 4096}, \"max_msg_fds\": 16, "
        + "\"max_data_xfer_size\": 1048576, \"max_dma_maps\": 65535, \"pgsizes\": 4096, \"write_multiple\": true}}";

    internal static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();

    internal static byte[] Message(ushort id, VfioUserCommand command, byte[] payload, VfioUserFlags flags = 0) =>
        [.. Bytes(VfioUserHeader.Request(id, command, payload.Length, flags)), .. payload];

    internal static byte[] Version(string json, ushort major = 0, ushort minor = 0) =>
        [.. Bytes(new VersionMessage { Major = major, Minor = minor }), .. System.Text.Encoding.UTF8.GetBytes(json)];

    internal static byte[] Read(uint region, ulong offset, uint count) => Bytes(new RegionAccess { Offset = offset, Region = region, Count = count });

    internal static byte[] Write(uint region, ulong offset, uint count, params byte[] data) => [.. Read(region, offset, count), .. data];

    internal static byte[] ReadMessage(ushort id, uint region, ulong offset, uint count) =>
        Message(id, VfioUserCommand.VFIO_USER_REGION_READ, Read(region, offset, count));

    internal static void SendRaw(this VfioUserClient client, byte[] bytes, params FileDescriptor[] descriptors) =>
        Assert.Equal(Errno.None, client.Socket.Send(bytes, default, descriptors.Select(d => d.Number).ToArray()));
}
