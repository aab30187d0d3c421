namespace Vgpu.Screens;

/// <summary>
/// A cursor's picture: premultiplied B8G8R8A8, row after row without gaps, 1 to 512 pixels each way. The pixels never
/// change once the head has it. The hot spot is where the pointer points; it may lie outside.
/// </summary>
public sealed record CursorImage(int Width, int Height, int HotX, int HotY, ReadOnlyMemory<byte> Pixels)
{
    /// <summary>The largest width and height.</summary>
    public const int MaxSize = 512;

    internal void Validate(string parameter)
    {
        if (Width is < 1 or > MaxSize || Height is < 1 or > MaxSize || Pixels.Length != Width * Height * 4)
        {
            throw new ArgumentException($"A cursor is 1 to {MaxSize} pixels each way and 4 bytes a pixel, not {Width}x{Height} with {Pixels.Length} bytes.", parameter);
        }
    }
}
