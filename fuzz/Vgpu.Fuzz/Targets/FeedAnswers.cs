using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;

namespace Vgpu.Fuzz.Targets;

/// <summary>A client that remembers what it was told, and holds each picture against the screen.</summary>
internal sealed class FeedAnswers(UnixSocket socket, Screen screen) : IDisposable
{
    // A number that no bytes make by chance: whose frame it is.
    private const uint FirstId = 0x5eed_fade;

    private readonly byte[] _bytes = new byte[1 << 17];
    private readonly int[] _numbers = new int[UnixSocket.SCM_MAX_FD];
    private readonly ulong[] _serials = new ulong[screen.Heads.Count];
    private readonly MemoryMapping?[] _shadows = new MemoryMapping?[screen.Heads.Count];
    private ulong _ticket;
    private int _received;

    internal void Say(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty)
        {
            _ = socket.Send(bytes);
        }
    }

    /// <summary>A request that may well be served.</summary>
    internal void Ask(byte kind, ref InputReader reader)
    {
        uint head = reader.Byte();
        ulong serial = head < (uint)_serials.Length ? _serials[head] : 0;
        switch (kind % 8)
        {
            case 0 or 1:
                var frame = new FeedFrameRequest { Head = head, Flags = reader.Byte(), PatienceMilliseconds = reader.UInt16(), Serial = serial };
                Say(FeedSeeds.Message(FeedProtocol.FEED_FRAME, FeedProtocol.BytesOf(frame), FirstId + head));
                break;
            case 2:
                Say(FeedSeeds.Message(FeedProtocol.FEED_HURRY, FeedProtocol.BytesOf(new FeedHurry { Head = head })));
                break;
            case 3:
                Say(FeedSeeds.Message(FeedProtocol.FEED_CURSOR, FeedProtocol.BytesOf(new FeedCursorRequest { Head = head, Ticket = _ticket })));
                break;
            case 4:
                Say(FeedSeeds.Message(FeedProtocol.FEED_SNAPSHOT, FeedProtocol.BytesOf(new FeedSnapshotRequest { Head = head, Flags = reader.Byte(), Ticket = _ticket })));
                break;
            case 5:
                var resize = new FeedResize { Head = head, Width = reader.UInt16(), Height = reader.UInt16(), RefreshHertz = reader.Byte() };
                Say(FeedSeeds.Message(FeedProtocol.FEED_RESIZE, FeedProtocol.BytesOf(resize)));
                break;
            case 6:
                Say(FeedSeeds.Message(FeedProtocol.FEED_LIST_HEADS, []));
                break;
            case 7:
                Say(FeedSeeds.Message(FeedProtocol.FEED_INPUT, reader.Bytes((int)(head % 4) * 16)));
                break;
        }
    }

    /// <summary>All that has been answered so far.</summary>
    internal void Read()
    {
        while (socket.WaitReadable(0))
        {
            int count = socket.Receive(_bytes.AsSpan(_received), _numbers, out int files, out _);
            if (count == 0)
            {
                return;
            }

            _received += count;
            FileDescriptor? file = files > 0 ? new FileDescriptor(_numbers[0]) : null;
            FindingException.Require(files <= 1, "more than one file with a message");
            using (file)
            {
                int done = 0;
                while (MemoryMarshal.TryRead(_bytes.AsSpan(done, _received - done), out FeedHeader header))
                {
                    FindingException.Require(header.Length <= FeedProtocol.MaxReply && (header.Type & FeedProtocol.FEED_REPLY) != 0, "an impossible answer");
                    if (_received - done < FeedHeader.Size + (int)header.Length)
                    {
                        break;
                    }

                    Take(header, _bytes.AsSpan(done + FeedHeader.Size, (int)header.Length), file);
                    done += FeedHeader.Size + (int)header.Length;
                }

                _bytes.AsSpan(done, _received - done).CopyTo(_bytes);
                _received -= done;
            }
        }
    }

    public void Dispose()
    {
        foreach (MemoryMapping? shadow in _shadows)
        {
            shadow?.Dispose();
        }

        socket.Dispose();
    }

    private void Take(in FeedHeader header, ReadOnlySpan<byte> payload, FileDescriptor? file)
    {
        FindingException.Require(header.Errno == 0 || payload.IsEmpty, "an error with a payload");
        if (header.Errno != 0)
        {
            return;
        }

        switch (header.Type & ~FeedProtocol.FEED_REPLY)
        {
            case FeedProtocol.FEED_FRAME:
                TakeFrame(header.Id - FirstId, payload, file);
                break;
            case FeedProtocol.FEED_CURSOR:
                _ticket = MemoryMarshal.Read<FeedCursor>(payload).Ticket;
                break;
            case FeedProtocol.FEED_SNAPSHOT:
                _ticket = MemoryMarshal.Read<FeedSnapshot>(payload).Ticket;
                break;
        }
    }

    // A request of raw bytes may have had any id: then nothing is known of it.
    private void TakeFrame(uint id, ReadOnlySpan<byte> payload, FileDescriptor? file)
    {
        var frame = MemoryMarshal.Read<FeedFrame>(payload);
        FindingException.Require(frame.RectCount <= FeedProtocol.MaxRects && payload.Length == FeedFrame.Size + (frame.RectCount * FeedProtocol.RectSize), "rectangles of another number");
        foreach (Rect rect in MemoryMarshal.Cast<byte, Rect>(payload[FeedFrame.Size..]))
        {
            bool within = !rect.IsEmpty && new Rect(0, 0, (int)frame.Width, (int)frame.Height).Contains(rect);
            FindingException.Require(within, "a rectangle outside the surface");
        }

        if (id >= (uint)_serials.Length)
        {
            return;
        }

        _serials[id] = frame.Serial;
        if ((frame.Flags & FeedProtocol.FEED_FRAME_SURFACE) != 0)
        {
            _shadows[id]?.Dispose();
            _shadows[id] = file is null ? null : MemoryMapping.Share(file, 0, frame.Length, MemoryProtection.Read);
            FindingException.Require(file is null == (frame.Width == 0), "a surface without a file, or a file without a surface");
        }

        if ((frame.Flags & FeedProtocol.FEED_FRAME_PICTURE) != 0 && _shadows[id] is { } shadow && frame.Width != 0)
        {
            Picture? picture = screen.Heads[(int)id].Capture(withCursor: false);
            FindingException.Require(picture is not null && picture.Pixels.Span.SequenceEqual(shadow.Span[..picture.Pixels.Length]), "the shadow is not the picture");
        }
    }
}
