using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

/// <summary>Random maps, unmaps and accesses, against a model that keeps one entry a page.</summary>
public sealed unsafe class Type2ModelTests
{
    private const int Pages = 96;
    private const int Tracked = 128; // a map may begin at the last page and be 8 long

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Agrees_with_a_naive_model(int seed)
    {
        var random = new Random(seed);
        using var guest = new GuestMemory(Pages, maxMaps: 24);
        guest.Number();
        Type2 iommu = guest.Iommu;
        Assert.Equal(Errno.None, iommu.StartDirtyTracking(0, Tracked * Page, Page));
        var model = new Model();
        var dirty = new HashSet<ulong>();
        var runs = new List<HostRun>();
        var data = new byte[20_000];
        for (int step = 0; step < 1500; step++)
        {
            ulong page = (ulong)random.Next(Pages);
            ulong pages = (ulong)random.Next(1, 9);
            ulong filePage = random.Next(3) == 0 ? (ulong)random.Next(Pages - 8) : Math.Min(page, Pages - 8);
            ulong iova = (page * Page) + (ulong)random.Next(4096);
            ulong length = (ulong)random.Next(1, data.Length);
            IommuProtection protection = random.Next(6) switch { 0 => R, 1 => W, _ => RW };
            switch (random.Next(12))
            {
                case 0 or 1 or 2 or 3:
                    Assert.Equal(model.Map(page, pages, filePage, protection), guest.Map(page, pages, filePage, protection));
                    break;
                case 4 or 5:
                    Assert.Equal(model.Unmap(page, pages), iommu.Unmap(page * Page, pages * Page));
                    break;
                case 6 when random.Next(40) == 0:
                    model.Clear();
                    iommu.UnmapAll();
                    break;
                case 7 or 8:
                    runs.Clear();
                    Errno expected = model.Check(iova, length, protection);
                    Assert.Equal(expected, iommu.Resolve(iova, length, protection, runs));
                    CheckRuns(guest, model, iova, expected == Errno.None ? length : 0, runs);
                    Errno one = iommu.TryGetRun(iova, length, protection, out HostRun run);
                    Assert.Equal(expected == Errno.None && runs.Count > 1 ? Errno.ERANGE : expected, one);
                    Assert.Equal(one == Errno.None ? runs[0] : default, run);
                    Touch(dirty, iova, length, expected == Errno.None && (protection & W) != 0);
                    break;
                case 9:
                    Span<byte> read = data.AsSpan(0, (int)length);
                    expected = model.Check(iova, length, R);
                    Assert.Equal(expected, iommu.DmaRw(iova, read, write: false));
                    for (int i = 0; expected == Errno.None && i < read.Length; i += 97)
                    {
                        Assert.Equal(guest.View.Span[(int)model.FileOffset(iova + (ulong)i)], read[i]);
                    }

                    break;
                case 10:
                    random.NextBytes(data.AsSpan(0, (int)length));
                    expected = model.Check(iova, length, W);
                    byte[] before = guest.View.Span.ToArray();
                    Assert.Equal(expected, iommu.DmaRw(iova, data.AsSpan(0, (int)length), write: true));
                    for (ulong i = 0, piece; expected == Errno.None && i < length; i += piece)
                    {
                        piece = Math.Min(length - i, Page - ((iova + i) % Page));
                        data.AsSpan((int)i, (int)piece).CopyTo(before.AsSpan((int)model.FileOffset(iova + i)));
                    }

                    Assert.True(guest.View.Span.SequenceEqual(before));
                    Touch(dirty, iova, length, expected == Errno.None);
                    break;
                case 11:
                    var bitmap = new byte[Tracked / 8];
                    Assert.Equal(Errno.None, iommu.ReadDirty(0, Tracked * Page, Page, bitmap));
                    Assert.Equal(
                        dirty.Order(),
                        Enumerable.Range(0, Tracked).Where(n => (bitmap[n / 8] >> (n % 8) & 1) != 0).Select(n => (ulong)n));
                    dirty.Clear();
                    break;
            }

            Assert.Equal(model.Count, iommu.MapCount);
        }
    }

    private static void Touch(HashSet<ulong> dirty, ulong iova, ulong length, bool written)
    {
        for (ulong page = iova / Page; written && page <= (iova + length - 1) / Page; page++)
        {
            dirty.Add(page);
        }
    }

    // The runs cover the range in order, show the right memory, and no two of them could be one.
    private static void CheckRuns(GuestMemory guest, Model model, ulong iova, ulong length, List<HostRun> runs)
    {
        ulong at = iova;
        HostRun before = default;
        foreach (HostRun run in runs)
        {
            Assert.Equal(at, run.Iova);
            Assert.False(before.Length != 0 && before.Address + (nint)before.Length == run.Address);
            for (ulong i = 0; i < run.Length; i += 1013)
            {
                Assert.Equal(guest.View.Span[(int)model.FileOffset(at + i)], ((byte*)run.Address)[i]);
            }

            at += run.Length;
            before = run;
        }

        Assert.Equal(iova + length, at);
    }

    private sealed class Model
    {
        private readonly Dictionary<ulong, (int Map, ulong FilePage, IommuProtection Protection)> _pages = [];
        private int _next;

        internal int Count => _pages.Values.Select(page => page.Map).Distinct().Count();

        internal void Clear() => _pages.Clear();

        internal Errno Map(ulong page, ulong pages, ulong filePage, IommuProtection protection)
        {
            if (Range(page, pages).Any(_pages.ContainsKey))
            {
                return Errno.EEXIST;
            }

            if (Count == 24)
            {
                return Errno.ENOSPC;
            }

            _next++;
            foreach (ulong p in Range(page, pages))
            {
                _pages[p] = (_next, filePage + p - page, protection);
            }

            return Errno.None;
        }

        internal Errno Unmap(ulong page, ulong pages)
        {
            ulong[] inside = [.. Range(page, pages).Where(_pages.ContainsKey)];
            HashSet<int> maps = [.. inside.Select(p => _pages[p].Map)];
            if (_pages.Any(p => maps.Contains(p.Value.Map) && !inside.Contains(p.Key)))
            {
                return Errno.EINVAL;
            }

            foreach (ulong p in inside)
            {
                _pages.Remove(p);
            }

            return inside.Length == 0 ? Errno.ENOENT : Errno.None;
        }

        internal Errno Check(ulong iova, ulong length, IommuProtection protection)
        {
            for (ulong page = iova / Page; page <= (iova + length - 1) / Page; page++)
            {
                if (!_pages.TryGetValue(page, out var found))
                {
                    return Errno.EFAULT;
                }

                if ((found.Protection & protection) != protection)
                {
                    return Errno.EPERM;
                }
            }

            return Errno.None;
        }

        internal ulong FileOffset(ulong iova) => (_pages[iova / Page].FilePage * Page) + (iova % Page);

        private static IEnumerable<ulong> Range(ulong page, ulong pages)
        {
            for (ulong i = 0; i < pages; i++)
            {
                yield return page + i;
            }
        }
    }
}
