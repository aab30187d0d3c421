// Commands at random that mean the same to every guest that gets them.
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;

namespace Vgpu.Vendors.VirtioGpu.Tests;

internal static class RandomCommands
{
    private const uint Ids = 8;
    private const int Side = 64;

    /// <summary>One command; what it was answered.</summary>
    internal static uint Step(GpuGuest guest, Random random)
    {
        uint id = (uint)random.Next((int)Ids);
        uint width = (uint)random.Next(1, Side + 1);
        uint height = (uint)random.Next(1, Side + 1);
        uint head = (uint)random.Next(3);
        int x = random.Next(-100, 1000);
        return random.Next(13) switch
        {
            0 or 1 => guest.Create2D(id, random.Next(2) == 0 ? 64u : width, random.Next(2) == 0 ? 64u : height),
            2 => guest.CreateBlob(id, 4UL * width * height, Pages(random)),
            3 or 4 => guest.Attach(id, Pages(random)),
            5 => guest.Detach(id),
            6 => guest.Unref(id),
            7 => guest.SetScanout(head, id, R(0, 0, width, height)),
            8 => guest.SetScanoutBlob(head, id, R(0, 0, width / 2, height / 2), width, height, 4 * width),
            9 => guest.Transfer(id, R(0, 0, width / 2, height / 2), (ulong)random.Next(4096)),
            10 => guest.Flush(id, R(0, 0, width / 2, height / 2)),
            11 => guest.UpdateCursor(head, id, x, x, hotX: 3),
            _ => guest.MoveCursor(head, x, -x),
        };
    }

    /// <summary>Draws every resource whole, and shows no cursor.</summary>
    internal static void DrawAll(GpuGuest guest)
    {
        for (uint id = 1; id < Ids; id++)
        {
            // Those without a backing lost their pixels; the new one's come from memory.
            _ = guest.Attach(id, Backing(GpuGuest.PictureOffset, Side * Side * 4));
            uint width = Side;
            while (width > 0 && guest.Transfer(id, R(0, 0, width, 1)) != OK)
            {
                width--;
            }

            uint height = Side;
            while (height > 0 && guest.Transfer(id, R(0, 0, width, height)) != OK)
            {
                height--;
            }

            _ = guest.UpdateCursor(0, 0, 0, 0);
            _ = guest.UpdateCursor(1, 0, 0, 0);
            _ = guest.Flush(id, R(0, 0, Side, Side));
        }
    }

    private static VirtioGpuMemEntry[] Pages(Random random)
    {
        var entries = new VirtioGpuMemEntry[random.Next(4, 20)];
        foreach (ref VirtioGpuMemEntry entry in entries.AsSpan())
        {
            entry.Addr = GpuGuest.RamIova + GpuGuest.PictureOffset + ((ulong)random.Next(256) * 8192);
            entry.Length = 4096;
        }

        return entries;
    }
}
