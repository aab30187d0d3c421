using System.Runtime.CompilerServices;
using Vgpu.Screens;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

// The cursor's plane: whatever it is when the library asks, never what it was in between.
internal sealed unsafe class QxlCursors(Head head) : IDisposable
{
    /// <summary>Tells its numbers from a drawable's.</summary>
    internal const ulong Mark = 1UL << 32;

    private const int MostCommands = 128;
    private const long MostBytes = 16L << 20;

    private readonly Lock _lock = new();
    private readonly CommandPool _pool = new(MostCommands, MostBytes);
    private bool _isChanged = true;
    private bool _isWhole = true;
    private CursorImage? _shown;
    private ulong _lastShape;

    internal bool IsChanged
    {
        get
        {
            lock (_lock)
            {
                return _isChanged;
            }
        }
    }

    /// <summary>Picture or place are others. Any thread.</summary>
    internal void Change()
    {
        lock (_lock)
        {
            _isChanged = true;
        }
    }

    /// <summary>As if none had been shown: the library forgot it.</summary>
    internal void Restart()
    {
        lock (_lock)
        {
            _isChanged = _isWhole = true;
        }
    }

    /// <summary>The next command; false where nothing changed or too many are out. The library's worker.</summary>
    internal bool TryTake(QXLCommandExt* command)
    {
        lock (_lock)
        {
            (CursorImage? image, int x, int y) = head.Cursor;
            bool isShape = image is not null && (_isWhole || !ReferenceEquals(image, _shown));
            int pixels = isShape ? image!.Pixels.Length : 0;
            if (!_isChanged || _pool.TryTake(sizeof(QXLCursorCmd) + sizeof(QXLCursor) + pixels, out ulong number) is var block && block is null)
            {
                return false;
            }

            // Sound: the block holds both structures and the pixels behind them.
            Unsafe.InitBlockUnaligned(block, 0, (uint)(sizeof(QXLCursorCmd) + sizeof(QXLCursor)));
            var cursor = (QXLCursorCmd*)block;
            cursor->ReleaseId = number | Mark;
            cursor->Type = image is null ? QXLCursorCmd.QXL_CURSOR_HIDE : isShape ? QXLCursorCmd.QXL_CURSOR_SET : QXLCursorCmd.QXL_CURSOR_MOVE;
            cursor->X = (short)Math.Clamp(x, short.MinValue, short.MaxValue);
            cursor->Y = (short)Math.Clamp(y, short.MinValue, short.MaxValue);
            if (isShape)
            {
                cursor->IsVisible = 1;
                cursor->Shape = (ulong)(block + sizeof(QXLCursorCmd));
                Draw(image!, (QXLCursor*)cursor->Shape);
            }

            *command = new QXLCommandExt { Data = (ulong)block, Type = QXLCommandExt.QXL_CMD_CURSOR };
            _isChanged = _isWhole = false;
            _shown = image;
            return true;
        }
    }

    internal void Release(ulong number) => _pool.Release(number);

    public void Dispose() => _pool.Dispose();

    private void Draw(CursorImage image, QXLCursor* cursor)
    {
        cursor->Unique = ++_lastShape;
        cursor->Type = QXLCursor.SPICE_CURSOR_TYPE_ALPHA;
        cursor->Width = (ushort)image.Width;
        cursor->Height = (ushort)image.Height;
        cursor->HotSpotX = (ushort)Math.Clamp(image.HotX, 0, image.Width - 1);
        cursor->HotSpotY = (ushort)Math.Clamp(image.HotY, 0, image.Height - 1);
        cursor->DataSize = cursor->ChunkSize = (uint)image.Pixels.Length;

        // Sound: the caller made room for as many behind the structure.
        image.Pixels.Span.CopyTo(new Span<byte>(cursor + 1, image.Pixels.Length));
    }
}
