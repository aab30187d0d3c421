using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>
/// Finds text on a console of 8x16 cells without knowing its font: the cells of the words must be equal exactly where
/// the letters are, and blank exactly where there is a space.
/// </summary>
public static class ConsoleText
{
    public static void AssertShows(Picture picture, string text) =>
        Assert.True(Shows(picture, text), $"the picture does not show '{text}'");

    public static bool Shows(Picture picture, string text)
    {
        int columns = picture.Width / 8;
        int rows = picture.Height / 16;
        var cells = new UInt128[columns];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                cells[column] = Cell(picture, column, row);
            }

            for (int start = 0; start + text.Length <= columns; start++)
            {
                if (Matches(cells.AsSpan(start, text.Length), text))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool Matches(ReadOnlySpan<UInt128> cells, string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if ((text[i] == ' ') != (cells[i] == 0))
            {
                return false;
            }

            for (int j = 0; j < i; j++)
            {
                if ((text[i] == text[j]) != (cells[i] == cells[j]))
                {
                    return false;
                }
            }
        }

        return true;
    }

    // One bit a pixel that is lit.
    private static UInt128 Cell(Picture picture, int column, int row)
    {
        ReadOnlySpan<uint> pixels = MemoryMarshal.Cast<byte, uint>(picture.Pixels.Span);
        UInt128 bits = 0;
        for (int y = 0; y < 16; y++)
        {
            for (int x = 0; x < 8; x++)
            {
                bool lit = (pixels[(((row * 16) + y) * picture.Width) + (column * 8) + x] & 0xffffff) != 0;
                bits = (bits << 1) | (lit ? UInt128.One : UInt128.Zero);
            }
        }

        return bits;
    }
}
