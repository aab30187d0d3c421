using System.Buffers.Binary;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

// What a viewer's messages do. On the task that reads them, with the lock of its input held.
internal sealed partial class RfbSession : IClientMessages
{
    private const long MinResizeMilliseconds = 50;

    private bool _isFence;
    private bool _wakes;
    private byte _buttons;
    private long _lastResize = long.MinValue / 2;

    void IClientMessages.SetPixelFormat(RfbPixelFormat format)
    {
        _state.SetFormat(format);
        _wakes = true;
    }

    void IClientMessages.SetEncodings(ReadOnlySpan<int> encodings)
    {
        bool drewCursor = _state.Encodings.DrawsCursor;
        _state.SetEncodings(encodings);
        _wakes = true;
        if (drewCursor != _state.Encodings.DrawsCursor)
        {
            Changes.CursorChanged();
        }
    }

    void IClientMessages.RequestUpdate(bool incremental, Rect rect)
    {
        // First what is asked for, then that it is: the other task may answer in between.
        if (!incremental)
        {
            Changes.Add(rect.Intersect(_output!.Bounds));
        }

        _state.Request(incremental, rect);
        _wakes = true;
    }

    void IClientMessages.Key(uint keysym, bool isDown)
    {
        if (_server.MayType(this))
        {
            _output!.Hurry();
            _input.Key(keysym, isDown);
        }
    }

    void IClientMessages.ExtendedKey(uint keysym, uint scancode, bool isDown)
    {
        if (_server.MayType(this))
        {
            _output!.Hurry();
            _input.Scancode(scancode, keysym, isDown);
        }
    }

    void IClientMessages.Pointer(byte buttons, int x, int y)
    {
        if (_server.MayType(this))
        {
            if (buttons != _buttons)
            {
                _buttons = buttons;
                _output!.Hurry();
            }

            Rect bounds = _output!.Bounds;
            _input.Pointer(buttons, x, y, bounds.Width, bounds.Height);
        }
    }

    void IClientMessages.EnableContinuousUpdates(bool enable, Rect rect)
    {
        _state.SetContinuous(enable, rect);
        _wakes = true;
    }

    void IClientMessages.Fence(uint flags, ReadOnlySpan<byte> payload)
    {
        if ((flags & RfbProtocol.FenceRequest) == 0)
        {
            if (payload.Length == sizeof(uint))
            {
                _wakes |= _pacing.Acknowledge(BinaryPrimitives.ReadUInt32BigEndian(payload), _options.Clock());
            }

            return;
        }

        _state.AnswerFence(flags, payload);
        _isFence = true;
        _wakes = true;
    }

    void IClientMessages.SetDesktopSize(int width, int height, ReadOnlySpan<Rect> screens)
    {
        _state.AnswerResize(RfbProtocol.ReasonThisClient, Resize(width, height, screens));
        _wakes = true;
        if (!_state.Encodings.ExtendedDesktopSize)
        {
            throw new RfbViolationException("it asks for a size, which it was not offered");
        }
    }

    void IClientMessages.MessageDone()
    {
        if (!_isFence)
        {
            _wakes |= _state.FlushFence();
        }

        // Most messages are keys, moves of the pointer and acknowledgements: nothing is to be written for those.
        _isFence = false;
        if (_wakes)
        {
            _wakes = false;
            _signal.Set();
        }
    }

    private ushort Resize(int width, int height, ReadOnlySpan<Rect> screens)
    {
        if (!_server.MayType(this))
        {
            return RfbProtocol.ResizeProhibited;
        }

        var mode = new DisplayMode(width, height, Frame.Head.PreferredMode.RefreshHertz);
        if (!mode.IsValid || screens.Length != 1 || screens[0] != new Rect(0, 0, width, height))
        {
            return RfbProtocol.ResizeInvalidLayout;
        }

        // Each one is a monitor that is plugged in anew, for the guest.
        long now = Environment.TickCount64;
        if (now - _lastResize < MinResizeMilliseconds)
        {
            return RfbProtocol.ResizeProhibited;
        }

        _lastResize = now;
        Frame.Head.RequestMode(mode);
        return _output!.Bounds == new Rect(0, 0, width, height) ? RfbProtocol.ResizeDone : RfbProtocol.ResizeForwarded;
    }
}
