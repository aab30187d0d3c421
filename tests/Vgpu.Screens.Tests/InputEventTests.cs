namespace Vgpu.Screens.Tests;

public sealed class InputEventTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(640)]
    [InlineData(1920)]
    [InlineData(16384)]
    public void A_guest_of_the_same_size_gets_the_pixel_back(int size)
    {
        for (int pixel = 0; pixel < size; pixel++)
        {
            InputEvent moved = InputEvent.Pointer(0, pixel, 0, size, 1);
            Assert.True(moved.IsValid);
            Assert.Equal(pixel, moved.X * size / (InputEvent.MaxPlace + 1));
        }
    }

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(700, 639)]
    public void A_place_outside_is_moved_to_the_edge(int x, int pixel) =>
        Assert.Equal(InputEvent.Pointer(0, pixel, 0, 640, 480), InputEvent.Pointer(0, x, 0, 640, 480));

    [Fact]
    public void Numbers_out_of_range_are_told_apart()
    {
        Assert.True(InputEvent.Key(30, true).IsValid);
        Assert.False(InputEvent.Key(0, true).IsValid);
        Assert.False(InputEvent.Key(0x300, true).IsValid);
        Assert.False((InputEvent.Button(0x110, true) with { Value = 2 }).IsValid);
        Assert.False((InputEvent.Pointer(0, 1, 1, 2, 2) with { X = 32768 }).IsValid);
        Assert.False((InputEvent.Pointer(0, 1, 1, 2, 2) with { Head = 16 }).IsValid);
        Assert.False((InputEvent.Scroll(0, 0) with { Y = int.MinValue }).IsValid);
        Assert.False(InputEvent.Touch(0, 10, true, 0, 0, 2, 2).IsValid);
        Assert.False((default(InputEvent) with { Kind = (InputKind)9 }).IsValid);
    }
}
