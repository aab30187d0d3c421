using System.Diagnostics;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Fifty viewers of one screen, of which some never read: memory stays, and the others see as much as without them.</summary>
public sealed class ManyViewersTests
{
    private const int Rounds = 30;

    [Fact]
    public void Who_never_reads_costs_neither_memory_nor_the_others_pictures()
    {
        using var desk = new Desk(1280, 720);
        desk.ScribbleAll(new Random(1));
        List<Viewer> readers = [.. Enumerable.Range(0, 40).Select(_ => Come(desk))];
        Draw(desk, readers, 1);
        long before = Draw(desk, readers, Rounds);
        List<Viewer> deaf = [.. Enumerable.Range(0, 10).Select(_ => Come(desk))];
        foreach (Viewer viewer in deaf)
        {
            viewer.SetEncodings(RfbProtocol.EncodingRaw, RfbProtocol.EncodingContinuousUpdates, RfbProtocol.EncodingFence);
            viewer.Wire.Send([150, 1, .. Wire.B16(0, 0, 1280, 720)]);
        }

        Draw(desk, readers, 3);
        long memory = Memory();
        long with = Draw(desk, readers, Rounds);
        long grown = Memory() - memory;

        // Every reader saw every picture, in both: the screen waited for them, and only for them.
        Assert.Equal(before, with);
        Assert.InRange(grown, long.MinValue, 64L << 20);
        Assert.Equal(50, desk.Server.ViewerCount);
        Assert.Equal(0, desk.Log.Count("closed"));
        readers.ForEach(viewer => viewer.Dispose());
        deaf.ForEach(viewer => viewer.Dispose());
    }

    // Draws so many pictures, each once all readers have seen the one before; how many were seen.
    private static long Draw(Desk desk, List<Viewer> readers, int rounds)
    {
        long seen = 0;
        for (int round = 0; round < rounds; round++)
        {
            var place = new Rect(round * 13 % 1000, round * 7 % 500, 200, 150);
            uint colour = (uint)(0x010203 * (round + 1)) & 0xffffff;
            desk.Fill(place, colour);
            foreach (Viewer viewer in readers)
            {
                viewer.Request(incremental: true);
            }

            foreach (Viewer viewer in readers)
            {
                while (viewer.Decoder.At(place.X, place.Y) != colour || viewer.Decoder.At(place.Right - 1, place.Bottom - 1) != colour)
                {
                    viewer.Decoder.ReadUpdate();
                    viewer.Request(incremental: true);
                }

                seen++;
            }
        }

        return seen;
    }

    private static Viewer Come(Desk desk)
    {
        var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor);
        viewer.Request(incremental: false);
        return viewer;
    }

    private static long Memory()
    {
        GC.Collect();
        using var self = Process.GetCurrentProcess();
        return self.PrivateMemorySize64;
    }
}
