// A guest's driver of a virtio-gpu, with one picture of its own on the first scanout (virtio 1.2, 5.7.6.7).
using System.Buffers.Binary;
using Vgpu.Screens;
using Vgpu.Vfio;

namespace Vgpu.Testing;

public sealed partial class GuestScreen : IDisposable
{
    private const ulong Version1 = 1UL << 32;
    private const ulong Virgl = 1UL << 0;
    private const ushort NoInterrupt = 1; // VRING_AVAIL_F_NO_INTERRUPT
    private const uint Create2D = 0x0101;
    private const uint SetScanout = 0x0103;
    private const uint Flush = 0x0104;
    private const uint Transfer = 0x0105;
    private const uint AttachBacking = 0x0106;
    private const uint Create3D = 0x0204;
    private const uint Texture2D = 2;
    private const uint DrawnToAndSampled = 2 | 8;
    private const uint OkNoData = 0x1100;
    private const uint Format = 2; // B8G8R8X8
    private const uint Resource = 7;
    private const int RequestLength = 128;
    private const int ResponseLength = 24;
    private const int QueueSize = 64;

    private readonly FakeGuest _guest;
    private readonly FakeQueue _control;
    private readonly FakeQueue _cursor;
    private readonly ulong _requests;
    private readonly ulong _responses;
    private readonly ulong _pixels;
    private readonly Action<Func<bool>> _wait;
    private ushort _sent;

    /// <summary>Finds the device and shows a black picture.</summary>
    /// <param name="guest">Whose memory the device has.</param>
    /// <param name="device">The virtio-gpu, as its driver sees it.</param>
    /// <param name="width">Of the picture.</param>
    /// <param name="height">Of the picture.</param>
    /// <param name="poll">How the driver waits where it asks for no interrupts; null: by INTx.</param>
    /// <param name="renders">Whether the picture is a resource of the host's renderer.</param>
    public GuestScreen(FakeGuest guest, VfioDevice device, int width, int height, Action<Func<bool>>? poll = null, bool renders = false)
    {
        (_guest, Width, Height) = (guest, width, height);
        Driver = new FakeDriver(device);
        _wait = poll ?? Driver.WaitFor;
        _control = new FakeQueue(guest, 0, QueueSize);
        _cursor = new FakeQueue(guest, 1, 16);
        _requests = guest.Allocate(RequestLength * QueueSize);
        _responses = guest.Allocate(RequestLength * QueueSize);
        _pixels = guest.Allocate(Bytes);
        Driver.Start(Version1 | (renders ? Virgl : 0), _control, _cursor);
        if (poll is not null)
        {
            _control.Flags = NoInterrupt;
            _cursor.Flags = NoInterrupt;
        }

        if (renders)
        {
            Do(Create3D, Resource, Texture2D, Format, DrawnToAndSampled, (uint)width, (uint)height, 1, 1, 0, 0, 0, 0);
        }
        else
        {
            Do(Create2D, Resource, Format, (uint)width, (uint)height);
        }

        Do(AttachBacking, Resource, 1, (uint)_pixels, (uint)(_pixels >> 32), (uint)Bytes, 0);
        Do(SetScanout, 0, 0, (uint)width, (uint)height, 0, Resource);
    }

    public FakeDriver Driver { get; }

    public int Width { get; }

    public int Height { get; }

    /// <summary>What the guest draws: rows of B8G8R8X8, without gaps.</summary>
    public Span<byte> Pixels => _guest.At(_pixels, Bytes);

    private int Bytes => Width * Height * 4;

    /// <summary>Transfers and flushes rectangles with one notification, and waits until the device has answered all.</summary>
    public void Show(params ReadOnlySpan<Rect> rects)
    {
        foreach (Rect rect in rects)
        {
            ulong offset = (ulong)(((rect.Y * Width) + rect.X) * 4);
            Offer(Transfer, (uint)rect.X, (uint)rect.Y, (uint)rect.Width, (uint)rect.Height, (uint)offset, 0, Resource, 0);
            Offer(Flush, (uint)rect.X, (uint)rect.Y, (uint)rect.Width, (uint)rect.Height, Resource, 0);
        }

        Finish(2 * rects.Length);
    }

    /// <summary>One command, answered well and exactly once.</summary>
    public void Do(uint command, params ReadOnlySpan<uint> words)
    {
        Offer(command, words);
        Finish(1);
    }

    public void Dispose() => Driver.Dispose();

    private void Offer(uint command, params ReadOnlySpan<uint> words) => Offer(command, 0, words);

    private void Offer(uint command, uint context, ReadOnlySpan<uint> words, params ReadOnlySpan<GuestBuffer> data)
    {
        ulong slot = (ulong)(_control.AvailableIndex % (QueueSize / 2)) * RequestLength;
        Span<byte> request = _guest.At(_requests + slot, RequestLength);
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, command);
        BinaryPrimitives.WriteUInt32LittleEndian(request[16..], context);
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(request[(24 + (4 * i))..], words[i]);
        }

        _guest.At(_responses + slot, ResponseLength).Fill(0xee);
        _ = _control.Add([new GuestBuffer(_requests + slot, (uint)(24 + (4 * words.Length))), .. data, new GuestBuffer(_responses + slot, ResponseLength, Writable: true)]);
        _sent++;
    }

    private void Finish(int commands)
    {
        Driver.Kick(_control);
        _wait(() => _control.UsedIndex == _sent);
        for (int i = 1; i <= commands; i++)
        {
            ulong slot = (ulong)((ushort)(_sent - i) % (QueueSize / 2)) * RequestLength;
            Assert.Equal(OkNoData, _guest.Get32(_responses + slot));
        }
    }
}
