using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

// The table against a plain sorted list, over sizes that make and empty many of its leaves.
public sealed class DmaMapTableTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Agrees_with_a_sorted_list(int seed)
    {
        const int Places = 2000;
        var random = new Random(seed);
        var table = new DmaMapTable();
        var list = new SortedList<ulong, DmaMap>();
        for (int step = 0; step < 6000; step++)
        {
            // Fuller and emptier in turn, so that leaves split and go.
            bool adds = random.Next(100) < (step / 1000 % 2 == 0 ? 80 : 30);
            ulong place = (ulong)random.Next(Places) * 4 * Page;
            if (adds)
            {
                var map = new DmaMap(place, (1 + (ulong)random.Next(4)) * Page, RW, null, 0);
                Assert.Equal(list.Values.Any(m => m.Iova <= map.Last && map.Iova <= m.Last), table.Overlaps(map.Iova, map.Last));
                if (!list.ContainsKey(place))
                {
                    list.Add(place, map);
                    table.Insert(map);
                }
            }
            else
            {
                ulong last = place + ((ulong)random.Next(1, random.Next(10) == 0 ? Places : 8) * 4 * Page) - 1;
                int first = list.Keys.Count(key => key < place);
                DmaMap[] within = [.. list.Values.Where(m => m.Last >= place && m.Iova <= last)];
                Assert.Equal((first, within.Length), table.Range(place, last));
                if (within.Length != 0)
                {
                    Assert.Equal(within, table.Remove(first, within.Length));
                    Array.ForEach(within, m => list.Remove(m.Iova));
                }
            }

            ulong probe = ((ulong)random.Next(Places * 4) * Page) + (ulong)random.Next((int)Page);
            DmaMap? expected = list.Values.FirstOrDefault(m => m.Contains(probe));
            Assert.Same(expected, table.Find(probe));
            Assert.True(table.TryFind(probe, out DmaMap? found));
            Assert.Same(expected, found);
            Assert.Equal(list.Count, table.Count);
        }

        Assert.Equal(list.Values, Enumerable.Range(0, table.Count).Select(i => table[i]));
    }

    [Fact]
    public void Fills_its_leaves_by_addresses_that_come_in_order()
    {
        var table = new DmaMapTable();
        for (ulong i = 0; i < 10 * DmaMapTable.LeafCapacity; i++)
        {
            table.Insert(new DmaMap(i * Page, Page, RW, null, 0));
        }

        Assert.Equal((5, 1000), table.Range(5 * Page, (1005 * Page) - 1));
        Assert.Equal(1000, table.Remove(5, 1000).Length);
        Assert.Null(table.Find(5 * Page));
        Assert.Equal(4 * Page, table.Find((5 * Page) - 1)!.Iova);
        Assert.Equal(1005 * Page, table[5].Iova);
    }
}
