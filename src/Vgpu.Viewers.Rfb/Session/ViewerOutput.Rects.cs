using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

// An update's rectangles: what belongs to none of the picture's places, then the pixels, piece by piece, to the end of it.
internal sealed partial class ViewerOutput
{
    private void WriteExtras(bool hasCursor, bool hasKeys)
    {
        foreach (Move move in _moves)
        {
            WriteRectHeader(move.Target, RfbProtocol.EncodingCopyRect);
            _buffer.U16(move.Source.X);
            _buffer.U16(move.Source.Y);
        }

        _buffer.Bytes(_film.Written.Span);

        if (hasCursor)
        {
            CursorEncoder.Encode(_frame.Head.Cursor.Image, _turn.Encodings.CursorWithAlpha, _turn.Format, _buffer);
        }

        if (hasKeys)
        {
            WriteRectHeader(default, RfbProtocol.EncodingQemuExtendedKeyEvent);
        }
    }

    private void WriteRects()
    {
        IRectEncoder encoder = _encoders.For(_turn.Encodings);
        _frame.EnterRead();
        try
        {
            while (_next < _rects.Count && _buffer.Length < PieceSize)
            {
                WriteRect(_rects[_next], encoder, LossOf(_next));
                _next++;
            }

            if (_next == _rects.Count)
            {
                EndUpdate();
            }
        }
        finally
        {
            _frame.ExitRead();
        }
    }

    // What is left goes out with the next update, which begins with what was typed: so it need not wait for all of this.
    private void CutShort()
    {
        for (; _next < _exactFrom; _next++)
        {
            _changes.Add(_rects[_next]);
        }

        for (; _next < _rects.Count; _next++)
        {
            _lossy.PutBack(_rects[_next]);
        }

        EndUpdate();
    }

    private void EndUpdate()
    {
        _changes.Release();
        if (_endsWithLastRect)
        {
            WriteRectHeader(default, RfbProtocol.EncodingLastRect);
            _endsWithLastRect = false;
        }

        if (_turn is { IsContinuous: true, Encodings.Fence: true } && (_pacing.IsAnyOnTheWay || _sinceFence + _buffer.Length > SmallBytes || ++_smallUpdates == SmallUpdates))
        {
            WritePaceFence();
        }
    }

    private Loss LossOf(int index) => index < _exactFrom ? Loss.At(_turn.Encodings.JpegQuality, index >= _movingFrom) : Loss.None;

    private void WriteRect(Rect rect, IRectEncoder encoder, Loss loss)
    {
        WriteRectHeader(rect, encoder.Number);
        PixelBlock block = _frame.Block(rect);
        bool isExact;
        if (HasCursor(rect))
        {
            isExact = encoder.Encode(WithCursor(block, rect), _turn.Format, loss, _buffer);
        }
        else if (encoder.Number == RfbProtocol.EncodingTight && rect.Area >= SharedRects.MinArea && _frame.HasSeveralViewers)
        {
            isExact = _frame.Shared.Encode(block, rect, _turn.Format, loss, _turn.Encodings.Compression, _buffer);
        }
        else
        {
            isExact = encoder.Encode(block, _turn.Format, loss, _buffer);
        }

        if (!isExact)
        {
            _lossy.AddAll(rect, _clock());
        }
        else if (!_lossy.IsEmpty)
        {
            _lossy.Remove(rect);
        }
    }

    private bool HasCursor(Rect rect) => !_turn.Encodings.DrawsCursor && _cursor.Image is not null && !_drawnCursor.Intersect(rect).IsEmpty;

    private PixelBlock WithCursor(PixelBlock block, Rect rect)
    {
        if (_staged.Length < rect.Area)
        {
            _staged = GC.AllocateUninitializedArray<uint>((int)rect.Area);
        }

        Span<uint> staged = _staged.AsSpan(0, rect.Width * rect.Height);
        block.CopyTo(staged);
        CursorComposition.Draw(_cursor.Image!, _cursor.X - rect.X, _cursor.Y - rect.Y, MemoryMarshal.AsBytes(staged), rect.Width, rect.Height);
        return new PixelBlock(staged, rect.Width, rect.Width, rect.Height);
    }

    private void WritePaceFence()
    {
        _buffer.U8(RfbProtocol.ServerFence);
        _buffer.Padding(3);
        _buffer.U32(RfbProtocol.FenceRequest | RfbProtocol.FenceBlockBefore);
        _buffer.U8(sizeof(uint));
        _buffer.U32(_pacing.Sent(_clock()));
        _smallUpdates = 0;
        _sinceFence = -_buffer.Length;
    }

    private void WriteHeader(int count)
    {
        _buffer.U8(RfbProtocol.FramebufferUpdate);
        _buffer.U8(0);
        _buffer.U16(count);
    }

    private void WriteRectHeader(Rect rect, int encoding)
    {
        _buffer.U16(rect.X);
        _buffer.U16(rect.Y);
        _buffer.U16(rect.Width);
        _buffer.U16(rect.Height);
        _buffer.U32(unchecked((uint)encoding));
    }
}
