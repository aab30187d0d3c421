using System.Buffers;
using System.Text.Json;

namespace Vgpu.VfioUser.Messages;

/// <summary>
/// The capabilities of VFIO_USER_VERSION (vfio-user specification, "VFIO_USER_VERSION"), as JSON on the wire. A null
/// member was not given or is not sent. Keys that the specification does not name are skipped.
/// </summary>
public sealed record VfioUserCapabilities
{
    /// <summary>The most bytes of JSON that are looked at, its NUL included.</summary>
    public const int MaxJsonLength = 4096;

    private const int MaxDepth = 8;

    /// <summary>File descriptors that the sender takes in one message; 1 where not given.</summary>
    public ulong? MaxMsgFds { get; init; }

    /// <summary>Bytes of data in one transfer; 1,048,576 where not given.</summary>
    public ulong? MaxDataXferSize { get; init; }

    /// <summary>DMA maps valid at one time; 65,535 where not given.</summary>
    public ulong? MaxDmaMaps { get; init; }

    /// <summary>Page sizes of DMA maps, or'ed together; 4,096 where not given.</summary>
    public ulong? PageSizes { get; init; }

    /// <summary>VFIO_USER_REGION_WRITE_MULTI is understood.</summary>
    public bool? WriteMultiple { get; init; }

    /// <summary>twin_socket.supported: a second socket for what the server asks of the client.</summary>
    public bool? TwinSocket { get; init; }

    /// <summary>twin_socket.fd_index: which descriptor that came with the reply is that socket.</summary>
    public ulong? TwinSocketFdIndex { get; init; }

    /// <summary>
    /// Reads version data. False where it is too long, has no NUL at its end, is no JSON object or gives a known key
    /// a value of another type. No data at all is no capability.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> data, out VfioUserCapabilities capabilities)
    {
        capabilities = new VfioUserCapabilities();
        if (data.IsEmpty)
        {
            return true;
        }

        if (data.Length > MaxJsonLength || data[^1] != 0)
        {
            return false;
        }

        data = data.TrimEnd((byte)0);
        if (data.IsEmpty)
        {
            return true;
        }

        try
        {
            var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = MaxDepth });
            return reader.Read() && ReadRoot(ref reader, ref capabilities) && !reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: a key whose escapes are half a surrogate pair, which no text can be compared with.
            return false;
        }
    }

    /// <summary>The version data: JSON and its NUL.</summary>
    public byte[] Format()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("capabilities"u8);
            WriteNumber(writer, "max_msg_fds"u8, MaxMsgFds);
            WriteNumber(writer, "max_data_xfer_size"u8, MaxDataXferSize);
            WriteNumber(writer, "max_dma_maps"u8, MaxDmaMaps);
            WriteNumber(writer, "pgsizes"u8, PageSizes);
            if (WriteMultiple is bool writeMultiple)
            {
                writer.WriteBoolean("write_multiple"u8, writeMultiple);
            }

            if (TwinSocket is bool twinSocket)
            {
                writer.WriteStartObject("twin_socket"u8);
                writer.WriteBoolean("supported"u8, twinSocket);
                WriteNumber(writer, "fd_index"u8, TwinSocketFdIndex);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        buffer.Write<byte>([0]);
        return buffer.WrittenSpan.ToArray();
    }

    private static bool ReadRoot(ref Utf8JsonReader reader, ref VfioUserCapabilities capabilities)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool known = reader.ValueTextEquals("capabilities"u8);
            reader.Read();
            if (!known)
            {
                reader.Skip();
            }
            else if (!ReadCapabilities(ref reader, ref capabilities))
            {
                return false;
            }
        }

        return true;
    }

    private static bool ReadCapabilities(ref Utf8JsonReader reader, ref VfioUserCapabilities read)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        bool good = true;
        while (good && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("max_msg_fds"u8))
            {
                good = ReadNumber(ref reader, out ulong value);
                read = read with { MaxMsgFds = value };
            }
            else if (reader.ValueTextEquals("max_data_xfer_size"u8))
            {
                good = ReadNumber(ref reader, out ulong value);
                read = read with { MaxDataXferSize = value };
            }
            else if (reader.ValueTextEquals("max_dma_maps"u8))
            {
                good = ReadNumber(ref reader, out ulong value);
                read = read with { MaxDmaMaps = value };
            }
            else if (reader.ValueTextEquals("pgsizes"u8))
            {
                good = ReadNumber(ref reader, out ulong value);
                read = read with { PageSizes = value };
            }
            else if (reader.ValueTextEquals("write_multiple"u8))
            {
                good = ReadBoolean(ref reader, out bool value);
                read = read with { WriteMultiple = value };
            }
            else if (reader.ValueTextEquals("twin_socket"u8))
            {
                good = ReadTwinSocket(ref reader, out bool value, out ulong? index);
                read = read with { TwinSocket = value, TwinSocketFdIndex = index };
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return good;
    }

    private static bool ReadTwinSocket(ref Utf8JsonReader reader, out bool supported, out ulong? index)
    {
        supported = false;
        index = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("supported"u8))
            {
                if (!ReadBoolean(ref reader, out supported))
                {
                    return false;
                }
            }
            else if (reader.ValueTextEquals("fd_index"u8))
            {
                if (!ReadNumber(ref reader, out ulong value))
                {
                    return false;
                }

                index = value;
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return true;
    }

    private static bool ReadNumber(ref Utf8JsonReader reader, out ulong value)
    {
        value = 0;
        return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetUInt64(out value);
    }

    private static bool ReadBoolean(ref Utf8JsonReader reader, out bool value)
    {
        bool read = reader.Read();
        value = read && reader.TokenType == JsonTokenType.True;
        return read && reader.TokenType is JsonTokenType.True or JsonTokenType.False;
    }

    private static void WriteNumber(Utf8JsonWriter writer, ReadOnlySpan<byte> key, ulong? value)
    {
        if (value is ulong number)
        {
            writer.WriteNumber(key, number);
        }
    }
}
