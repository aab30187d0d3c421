// A virtio function that is killed at any instruction: its successor, on the same checkpoint and the same memory, works on each
// chain exactly once as far as the driver can see, and loses no interrupt.
using System.Buffers.Binary;
using Vgpu.Pci;
using Vgpu.Testing;
using Vgpu.Vfio.Migration;
using static Vgpu.Virtio.VirtioFeatures;
using static Vgpu.Virtio.VirtioPci;

namespace Vgpu.Virtio.Tests;

[Collection(nameof(Alone))]
public sealed class CheckpointTests
{
    private const ulong EventIndex = Rig.Features | VIRTIO_F_EVENT_IDX;

    /// <summary>What is in memory when the process ends: before the commit, between it and the used index, after both.</summary>
    public enum Killed
    {
        BeforeCommit,
        BeforeUsedIndex,
        After,
    }

    public static TheoryData<Killed, bool, ulong> Points()
    {
        var points = new TheoryData<Killed, bool, ulong>();
        foreach (Killed killed in Enum.GetValues<Killed>())
        {
            points.Add(killed, true, Rig.Features);
            points.Add(killed, false, Rig.Features);
            points.Add(killed, true, EventIndex);
            points.Add(killed, false, EventIndex);
        }

        return points;
    }

    [Theory]
    [MemberData(nameof(Points))]
    public void A_chain_is_worked_on_once(Killed killed, bool changes, ulong features)
    {
        using var file = new CheckpointFile();
        using var first = new Rig(device: new CountingDevice());
        file.Keep(first.Function);
        first.Start(features);
        Assert.Equal(1UL, Count(first, changes: true));
        Assert.Equal(2UL, Count(first, changes: true));
        Assert.Equal(2UL, Count(first, changes: false));

        byte[] before = file.Copy(first.Function);
        ushort head = Offer(first, changes);
        first.Driver.WaitUsed(first.Queue, 4);
        Kill(first, file, killed, before);

        using var second = new Rig(first, new CountingDevice());
        Restore(second, file);
        Assert.NotEqual(0UL, second.Driver.WaitEvent());
        Assert.Equal(VIRTIO_PCI_ISR_QUEUE | VIRTIO_PCI_ISR_CONFIG, second.Driver.EndOfInterrupt());
        second.Driver.WaitUsed(second.Queue, 4);
        Assert.Equal((head, 8u), second.Queue.UsedEntry(3));
        Assert.Equal(changes ? 3UL : 2UL, Answer(second));
        Assert.Equal(changes ? 4UL : 3UL, Count(second, changes: true));
        Assert.Equal(5, second.Queue.UsedIndex);
    }

    [Fact]
    public void A_change_is_committed_when_its_answer_and_element_are_written_and_the_index_is_not()
    {
        using var file = new CheckpointFile();
        var device = new CountingDevice();
        using var rig = new Rig(device: device);
        file.Keep(rig.Function);
        rig.Start();
        Assert.Equal(1UL, Count(rig, changes: true));
        var seen = new List<(int Index, uint Written, ulong Answer)>();
        device.Saved = () => seen.Add((rig.Queue.UsedIndex, rig.Queue.UsedEntry(1).Written, Answer(rig)));
        Assert.Equal(2UL, Count(rig, changes: true));
        Assert.Equal(2UL, Count(rig, changes: false));
        lock (rig.Function.Lock)
        {
            Assert.Equal([(1, 8u, 2UL)], seen);
        }
    }

    [Fact]
    public void Registers_config_and_queues_are_as_they_were()
    {
        using var file = new CheckpointFile();
        using var first = new Rig(PciInterruptMode.Msix, new CountingDevice());
        file.Keep(first.Function);
        Assert.True(first.Driver.Negotiate(EventIndex));
        first.Driver.Write16(0, first.Driver.Common(VIRTIO_PCI_COMMON_MSIX), 0);
        first.Driver.Setup(first.Queue, 1);
        first.Driver.Setup(first.Second, 2);
        first.Driver.Ready();
        first.Driver.Write8(0, 0x2000 + 3, 99);
        first.Driver.Write16(7, PciRegisters.PCI_INTERRUPT_LINE, 11);
        first.Driver.Write32(1, 16, 0xfee0_1234);
        byte[] registers = Registers(first);
        CheckpointFile.Kill(first.Function);

        using var second = new Rig(first, new CountingDevice(), PciInterruptMode.Msix);
        Restore(second, file);
        Assert.Equal(registers, Registers(second));
        Assert.Equal(0xfee0_1234u, second.Driver.Read32(1, 16));
        Assert.Equal(11, second.Driver.Read8(7, PciRegisters.PCI_INTERRUPT_LINE));
        Assert.Equal(EventIndex, second.Device.Active);
        Assert.All(second.Driver.Events, e => Assert.NotEqual(0UL, e.Take()));
    }

    [Fact]
    public void A_notification_that_was_lost_is_made_up_for()
    {
        using var file = new CheckpointFile();
        using var first = new Rig(device: new CountingDevice());
        file.Keep(first.Function);
        first.Start();
        first.Queue.Add(new GuestBuffer(first.In, 1), new GuestBuffer(first.Out, 8, Writable: true));
        CheckpointFile.Kill(first.Function);
        using var second = new Rig(first, new CountingDevice());
        Restore(second, file);
        second.Driver.WaitUsed(second.Queue, 1);
    }

    [Fact]
    public void A_reset_stays_a_reset()
    {
        using var file = new CheckpointFile();
        using var first = new Rig(device: new CountingDevice());
        file.Keep(first.Function);
        first.Start();
        _ = Count(first, changes: true);
        first.Driver.Reset();
        CheckpointFile.Kill(first.Function);
        using var second = new Rig(first, new CountingDevice());
        Restore(second, file);
        Assert.Equal(0, second.Driver.Status);
        Assert.Equal(0UL, second.Driver.Events[0].Take());
        second.Start();
        Assert.Equal(1UL, Count(second, changes: true));
    }

    [Fact]
    public void Chains_that_a_device_holds_are_given_back_by_its_successor()
    {
        using var file = new CheckpointFile();
        var device = new HoldingDevice();
        using var first = new Rig(device: device);
        file.Keep(first.Function);
        first.Start();
        ushort[] heads = [.. Enumerable.Range(0, 3).Select(_ => first.Queue.Add(new GuestBuffer(first.Out, 64, Writable: true)))];
        first.Driver.Kick(first.Queue);
        Assert.True(SpinWait.SpinUntil(() => device.Held == 3, FakeDriver.Timeout));
        lock (first.Function.Lock)
        {
            device.Give(1);
        }

        CheckpointFile.Kill(first.Function);
        var next = new HoldingDevice();
        using var second = new Rig(first, next);
        Restore(second, file);
        Assert.Equal(1, second.Queue.UsedIndex);
        lock (second.Function.Lock)
        {
            next.Give(0);
            next.Give(0);
            Assert.Equal(0, next.Held);
        }

        second.Driver.WaitUsed(second.Queue, 3);
        Assert.Equal([heads[1], heads[0], heads[2]], Enumerable.Range(0, 3).Select(i => (ushort)second.Queue.UsedEntry(i).Id));
        second.Queue.Add(new GuestBuffer(second.Out, 64, Writable: true));
        second.Driver.Kick(second.Queue);
        Assert.True(SpinWait.SpinUntil(() => next.Held == 1, FakeDriver.Timeout));
    }

    [Fact]
    public void A_stopped_device_stays_stopped_and_goes_on()
    {
        using var file = new CheckpointFile();
        using var first = new Rig(device: new CountingDevice());
        file.Keep(first.Function);
        first.Start();
        Assert.Equal(1UL, Count(first, changes: true));
        Assert.Equal(Linux.Errno.None, first.Function.Migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP));
        Offer(first, changes: true);
        CheckpointFile.Kill(first.Function);
        using var second = new Rig(first, new CountingDevice());
        Restore(second, file);
        Assert.Equal(VfioDeviceState.VFIO_DEVICE_STATE_STOP, second.Function.Migration.DeviceState);
        _ = second.Driver.Status;
        Assert.Equal(1, second.Queue.UsedIndex);
        Move.Run(second.Function);
        second.Driver.WaitUsed(second.Queue, 2);
        Assert.Equal(2UL, Answer(second));
    }

    [Fact]
    public void A_device_that_was_stopped_half_way_through_a_move_is_in_ERROR()
    {
        using var file = new CheckpointFile();
        using var first = new Rig(device: new CountingDevice());
        file.Keep(first.Function);
        first.Start();
        Assert.Equal(Linux.Errno.None, first.Function.Migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP_COPY));
        CheckpointFile.Kill(first.Function);
        using var second = new Rig(first, new CountingDevice());
        Restore(second, file);
        Assert.Equal(VfioDeviceState.VFIO_DEVICE_STATE_ERROR, second.Function.Migration.DeviceState);
        Move.Reset(second.Function);
        second.Driver.TurnOn();
        second.Start();
        Assert.Equal(1UL, Count(second, changes: true));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Killed_again_and_again_it_counts_as_one_that_never_was(int seed)
    {
        var random = new Random(seed);
        using var file = new CheckpointFile();
        var rigs = new List<Rig> { new(device: new CountingDevice()) };
        file.Keep(rigs[0].Function);
        rigs[0].Start(seed == 1 ? Rig.Features : EventIndex);
        ulong expected = 0;
        int used = 0;
        for (int round = 0; round < 60; round++)
        {
            Rig rig = rigs[^1];
            byte[] before = file.Copy(rig.Function);
            int chains = random.Next(1, 5);
            for (int i = 0; i < chains; i++)
            {
                before = file.Copy(rig.Function);
                bool changes = random.Next(2) == 0;
                expected += changes ? 1UL : 0;
                used++;
                Offer(rig, changes);
                rig.Driver.WaitUsed(rig.Queue, used);
                Assert.Equal(expected, Answer(rig));
            }

            Kill(rig, file, (Killed)random.Next(3), before);
            file.Tear(random);
            rigs.Add(new Rig(rig, new CountingDevice()));
            Restore(rigs[^1], file);
            rigs[^1].Driver.WaitUsed(rig.Queue, used);
            Assert.Equal(expected, Answer(rigs[^1]));
        }

        rigs.Reverse();
        rigs.ForEach(rig => rig.Dispose());
    }

    [Fact]
    public void Whatever_is_in_the_file_is_refused_or_harmless()
    {
        using var file = new CheckpointFile();
        using var first = new Rig(device: new CountingDevice());
        file.Keep(first.Function);
        first.Start(EventIndex);
        Assert.Equal(1UL, Count(first, changes: true));
        Assert.Equal(1UL, Count(first, changes: false));
        byte[] good = file.Copy(first.Function);
        CheckpointFile.Kill(first.Function);
        int slot = (good.Length - 4096) / 2;
        int at = 4096 + ((good[8] & 1) * slot);
        using var second = new Rig(first, new CountingDevice());
        int refused = 0;
        foreach (int offset in Enumerable.Range(0, 64).Concat(Enumerable.Range(at, 1500)))
        {
            for (int bit = 0; bit < 8; bit += 3)
            {
                file.Restore(good);
                file.Bytes[offset] ^= (byte)(1 << bit);
                file.Keep(second.Function);
                bool taken = second.Function.TryRestore(out string? why);
                Assert.Equal(taken, why is null || file.Bytes[8] == 0);
                refused += taken ? 0 : 1;
                Assert.True(taken || second.Driver.Status == 0);
                second.Function.Checkpoint = null;
            }
        }

        Assert.InRange(refused, 300, 4000);
        file.Restore(good);
        file.Keep(second.Function);
        second.Queue.Flags = 0;
        second.Function.Reset();
        second.Driver.TurnOn();
        second.Start();
        Assert.Equal(1UL, Count(second, changes: true));
    }

    [Fact]
    public void Chains_with_a_checkpoint_allocate_nothing()
    {
        using var file = new CheckpointFile();
        using var rig = new Rig(device: new CountingDevice());
        file.Keep(rig.Function);
        rig.Start();
        Chains(rig, 300);
        Assert.Equal(0, Allocations.Least(() => Chains(rig, 100)));
    }

    private static void Chains(Rig rig, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ushort used = rig.Queue.UsedIndex;
            Offer(rig, changes: i % 2 == 0);
            while (rig.Queue.UsedIndex == used)
            {
                rig.Driver.WaitEvent();
                rig.Driver.EndOfInterrupt();
            }
        }
    }

    private static ushort Offer(Rig rig, bool changes)
    {
        rig.Guest.At(rig.In, 1)[0] = changes ? (byte)1 : CountingDevice.Look;
        rig.Queue.UsedEvent = rig.Queue.UsedIndex;
        ushort head = rig.Queue.Add(new GuestBuffer(rig.In, 1), new GuestBuffer(rig.Out, 8, Writable: true));
        rig.Driver.Kick(rig.Queue);
        return head;
    }

    private static ulong Count(Rig rig, bool changes)
    {
        int used = rig.Queue.UsedIndex;
        Offer(rig, changes);
        rig.Driver.WaitUsed(rig.Queue, used + 1);
        return Answer(rig);
    }

    private static ulong Answer(Rig rig) => BinaryPrimitives.ReadUInt64LittleEndian(rig.Guest.At(rig.Out, 8));

    // The last chain is used: what was in memory before one store or another is put back.
    private static void Kill(Rig rig, CheckpointFile file, Killed killed, byte[] before)
    {
        lock (rig.Function.Lock)
        {
            // The worker has left Push.
        }

        CheckpointFile.Kill(rig.Function);
        if (killed == Killed.BeforeCommit)
        {
            file.Restore(before);
        }

        if (killed != Killed.After)
        {
            rig.Guest.Set16(rig.Queue.Used + 2, (ushort)(rig.Queue.UsedIndex - 1));
        }
    }

    private static void Restore(Rig rig, CheckpointFile file)
    {
        _ = rig.Driver.Events[0].Take();
        file.Keep(rig.Function);
        Assert.True(rig.Function.TryRestore(out string? why), why);
    }

    private static byte[] Registers(Rig rig) =>
        [.. Enumerable.Range(0, VirtioCommonConfig.Length).Concat(Enumerable.Range(0x2000, 6)).Select(at => rig.Driver.Read8(0, at))];

    private sealed class HoldingDevice : EchoDevice, IVfioMigratable
    {
        private readonly List<ushort> _held = [];

        public int Held => _held.Count;

        public long MaxStateLength => 4 + (2 * 16);

        public override void HandleChain(int queueIndex, Virtqueue queue, DescriptorChain chain)
        {
            _held.Add(chain.Head);
        }

        public void Give(int index)
        {
            ushort head = _held[index];
            _held.RemoveAt(index);
            Transport.StateChanged();
            Transport.QueueAt(0).Push(head, 0);
        }

        public void SaveState(StateWriter state)
        {
            state.Write(_held.Count);
            _held.ForEach(head => state.Write(head));
        }

        public void LoadState(StateReader state)
        {
            for (int count = state.Read<int>(); count > 0; count--)
            {
                _held.Add(state.Read<ushort>());
            }
        }
    }
}
