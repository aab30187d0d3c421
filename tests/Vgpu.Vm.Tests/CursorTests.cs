using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>The guest's hardware cursor: where it is put, over the picture, with its hot spot.</summary>
public sealed class CursorTests
{
    // The arrow's top left corner: inside, over each edge, and out of sight.
    private static readonly (int X, int Y)[] _places = [(100, 50), (-10, -7), (1010, 760), (-64, 300)];

    [Fact]
    public void The_cursor_is_where_the_guest_puts_and_moves_it()
    {
        using var vgpu = new ServedVgpu("virtio-gpu");
        using var machine = TestMachine.Boot(vgpu.Attachment);
        Picture bare = GuestPattern.Noise(1024, 768, 31);
        foreach ((int x, int y) in _places)
        {
            using var record = new HeadRecord(vgpu.Head);
            using (new Drawing(machine.Shell, $"--mode 1024x768 --pattern noise --seed 31 --cursor builtin --cursor-at {x},{y} --hotspot 3,5"))
            {
                Eventually.Holds(() => record.CursorPlaces is [.., var last] && last == (x + 3, y + 5), $"the hot spot at {x + 3},{y + 5}");
                Eventually.Shows(vgpu.Head, GuestPattern.WithArrow(bare, x, y), withCursor: true);
                Eventually.Shows(vgpu.Head, bare);
                Assert.Equal((3, 5), (vgpu.Head.Cursor.Image!.HotX, vgpu.Head.Cursor.Image.HotY));
            }

            Eventually.Holds(() => vgpu.Head.Cursor.Image is null, "no cursor once its program has ended");
        }

        AssertMoves(machine, vgpu, bare);
        Assert.Empty(machine.Shell.Complaints());
    }

    private static void AssertMoves(TestMachine machine, ServedVgpu vgpu, Picture bare)
    {
        (int X, int Y)[] places = [(300, 200), (301, 200), (-5, 700), (1023, 767), (640, 480)];
        string moves = string.Join(' ', places.Select(place => $"--cursor-move {place.X},{place.Y}"));
        using var record = new HeadRecord(vgpu.Head);
        using var drawing = new Drawing(machine.Shell, $"--mode 1024x768 --pattern noise --seed 31 --cursor builtin --cursor-at 10,10 --hotspot 3,5 {moves}");

        Eventually.Holds(() => record.CursorPlaces.Count > places.Length, "every move of the cursor");

        IEnumerable<(int, int)> expected = ((int X, int Y)[])[(10, 10), .. places];
        Assert.Equal(expected.Select(place => (place.Item1 + 3, place.Item2 + 5)), record.CursorPlaces);
        Eventually.Shows(vgpu.Head, GuestPattern.WithArrow(bare, 640, 480), withCursor: true);
    }
}
