// Random commands from a fixed seed: a model of what the guest holds says what must be charged, and nothing breaks.
using System.Runtime.InteropServices;
using Vgpu.Testing;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class FuzzTests
{
    private const ulong Limit = 1 << 20;
    private const ulong RenderingLimit = 32 << 20;
    private const int Heads = 3;

    private static readonly uint[] _commands =
        [.. Enumerable.Range(0x100, 0xf).Concat(Enumerable.Range(0x200, 0xb)).Concat([0, 0x300, 0x301, 0x1100]).Select(type => (uint)type)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Charges_follow_the_model(int seed) => FollowModel(seed, Campaign.Short());

    [Theory]
    [Trait("Length", "long")]
    [InlineData(101)]
    public void Charges_follow_the_model_for_long(int seed) => FollowModel(seed, Campaign.Long());

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Noise_is_answered(int seed) => MakeNoise(seed, Campaign.Short());

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public void Noise_is_answered_where_a_guest_renders(int seed) => MakeNoise(seed, Campaign.Short(), renders: true);

    [Theory]
    [Trait("Length", "long")]
    [InlineData(103, false)]
    [InlineData(105, true)]
    public void Noise_is_answered_for_long(int seed, bool renders) => MakeNoise(seed, Campaign.Long(), renders);

    private static void FollowModel(int seed, Campaign campaign)
    {
        var random = new Random(seed);
        using var guest = new GpuGuest(Heads, Limit);
        var model = new Model();
        for (int step = 0; campaign.Next(); step++)
        {
            model.Step(guest, random);
            Assert.True(
                guest.Device.VideoMemoryUsed == model.Used && guest.Device.ResourceCount == model.Count,
                $"seed {seed}, step {step}: {guest.Device.VideoMemoryUsed} bytes of {guest.Device.ResourceCount}, {model.Used} of {model.Count} expected");
            Assert.True(model.Used <= Limit);
            for (int i = 0; i < Heads; i++)
            {
                Assert.True(guest.Screen.Heads[i].State.Width != 0 == model.Shows(i), $"seed {seed}, step {step}: head {i}");
            }
        }

        guest.ResetFunction();
        Assert.Equal((0UL, 0), (guest.Device.VideoMemoryUsed, guest.Device.ResourceCount));
    }

    private static void MakeNoise(int seed, Campaign campaign, bool renders = false)
    {
        var random = new Random(seed);
        ulong limit = renders ? RenderingLimit : Limit;
        ulong features = renders ? RenderingCommands.Features : GpuGuest.AllFeatures;
        using var guest = new GpuGuest(Heads, limit, features, renderer3D: renders ? VirglTests.Start : null);
        var request = new byte[256];
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(request.AsSpan());
        while (campaign.Next())
        {
            foreach (ref uint word in words)
            {
                word = random.Next(8) switch
                {
                    0 => (uint)random.NextInt64(1L << 32),
                    1 => uint.MaxValue - (uint)random.Next(3),
                    2 => 0x4080_0000,
                    3 => (uint)random.Next(512),
                    _ => (uint)random.Next(5),
                };
            }

            words[0] = _commands[random.Next(_commands.Length)];
            int length = random.Next(4) == 0 ? random.Next(257) : 4 * random.Next(6, 33);
            uint response = guest.SendBytes(request.AsSpan(0, length), queue: random.Next(8) == 0 ? CURSORQ : CONTROLQ);
            Assert.True(response is (>= 0x1100 and <= 0x1106) or (>= 0x1200 and <= 0x1205), $"response {response:x}");
            Assert.True(guest.Device.VideoMemoryUsed <= limit);
        }

        guest.ResetFunction();
        Assert.Equal((0UL, 0), (guest.Device.VideoMemoryUsed, guest.Device.ResourceCount));
        guest.Start(features);
        Assert.Equal(OK, guest.Create2D(1, 8, 8));
    }

    // What the guest holds, told from the responses alone.
    private sealed class Model
    {
        private readonly Dictionary<uint, (ulong Pixels, bool IsBlob, ulong Backing)> _resources = [];
        private readonly (uint Resource, ulong Copy)[] _scanouts = new (uint, ulong)[Heads];

        internal int Count => _resources.Count;

        internal ulong Used =>
            _resources.Values.Aggregate(0UL, (sum, one) => sum + one.Pixels + one.Backing) + _scanouts.Aggregate(0UL, (sum, one) => sum + one.Copy);

        internal bool Shows(int head) => _scanouts[head].Resource != 0;

        internal void Step(GpuGuest guest, Random random)
        {
            uint id = (uint)random.Next(12);
            uint width = (uint)random.Next(200);
            uint height = (uint)random.Next(200);
            uint head = (uint)random.Next(Heads + 1);
            int entries = random.Next(1, 200);
            switch (random.Next(10))
            {
                case 0 or 1 when guest.Create2D(id, width, height) == OK:
                    _resources.Add(id, (VideoMemory.CostOf(4UL * width * height), false, 0));
                    break;
                case 2 when guest.CreateBlob(id, 4UL * width * height, Pages(random, entries)) == OK:
                    _resources.Add(id, (VideoMemory.CostOf(0), true, CostOfEntries(entries)));
                    break;
                case 3 when guest.Attach(id, Pages(random, entries)) == OK:
                    _resources[id] = _resources[id] with { Backing = CostOfEntries(entries) };
                    break;
                case 4 when guest.Detach(id) == OK:
                    _resources[id] = _resources[id] with { Backing = 0 };
                    break;
                case 5 when guest.Unref(id) == OK:
                    Assert.True(_resources.Remove(id));
                    for (int i = 0; i < Heads; i++)
                    {
                        _scanouts[i] = _scanouts[i].Resource == id ? default : _scanouts[i];
                    }

                    break;
                case 6 when guest.SetScanout(head, id, R(0, 0, width / 2, height / 2)) == OK:
                    Assert.True(id == 0 || !_resources[id].IsBlob);
                    _scanouts[head] = (id, 0);
                    break;
                case 7 when guest.SetScanoutBlob(head, id, R(0, 0, width / 2, height / 2), width, height, 4 * width) == OK:
                    Assert.True(id == 0 || _resources[id].IsBlob);
                    _scanouts[head] = id == 0 ? default : (id, VideoMemory.CostOf(4UL * (width / 2) * (height / 2)));
                    break;
                case 8:
                    _ = guest.Transfer(id, R(0, 0, width / 2, height / 2), (ulong)random.Next(4096));
                    break;
                case 9:
                    _ = guest.Flush(id, R(0, 0, width / 2, height / 2));
                    break;
            }
        }

        // Every other page, so that no two are one run and none is two.
        private static VirtioGpuMemEntry[] Pages(Random random, int count)
        {
            var entries = new VirtioGpuMemEntry[count];
            foreach (ref VirtioGpuMemEntry entry in entries.AsSpan())
            {
                entry.Addr = GpuGuest.RamIova + GpuGuest.PictureOffset + ((ulong)random.Next(4096) * 8192);
                entry.Length = 4096;
            }

            return entries;
        }

        private static ulong CostOfEntries(int count) => VideoMemory.ObjectCost + ((ulong)count * VideoMemory.EntryCost);
    }
}
