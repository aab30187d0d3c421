// The cursors as saved state: picture, hot spot and place on each head.
using System.Runtime.InteropServices;
using Vgpu.Screens;
using Vgpu.Vfio.Migration;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

internal sealed partial class CursorCommands
{
    /// <summary>Bytes of a head's cursor at most.</summary>
    internal static int MaxStateLength => Marshal.SizeOf<SavedCursor>() + PictureBytes;

    internal void SaveState(StateWriter state)
    {
        for (int i = 0; i < heads.Count; i++)
        {
            (CursorImage? image, int x, int y) = heads[i].Cursor;
            state.Write(new SavedCursor
            {
                X = x,
                Y = y,
                HotX = image?.HotX ?? 0,
                HotY = image?.HotY ?? 0,
                HasPicture = image is null ? 0 : 1,
            });
            if (image is not null)
            {
                state.Write(image.Pixels.Span);
            }
        }
    }

    internal void LoadState(StateReader state)
    {
        for (int i = 0; i < heads.Count; i++)
        {
            SavedCursor saved = state.Read<SavedCursor>();
            int most = saved.HasPicture * (CURSOR_SIZE - 1);
            StateReader.Require(saved.HasPicture is 0 or 1, "the picture of a cursor");
            StateReader.Require(saved.HotX >= 0 && saved.HotX <= most && saved.HotY >= 0 && saved.HotY <= most, "the hot spot of a cursor");
            StateReader.Require(IsPlace(saved.X) && IsPlace(saved.Y), "the place of a cursor");
            CursorImage? image = null;
            if (saved.HasPicture == 1)
            {
                var pixels = new byte[PictureBytes];
                state.Read(pixels);
                image = new CursorImage(CURSOR_SIZE, CURSOR_SIZE, saved.HotX, saved.HotY, pixels);
            }

            _hotSpots[i] = (saved.HotX, saved.HotY);
            heads[i].SetCursor(image, saved.X, saved.Y);
        }
    }

    private static bool IsPlace(int coordinate) => coordinate is >= -MaxCoordinate and < MaxCoordinate + CURSOR_SIZE;

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedCursor
    {
        internal int X;
        internal int Y;
        internal int HotX;
        internal int HotY;
        internal int HasPicture;
    }
}
