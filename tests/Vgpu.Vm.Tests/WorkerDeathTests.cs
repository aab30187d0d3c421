using System.Diagnostics;
using Vgpu.Bus;
using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>Workers are killed under a stock VM that draws, and under a client that checks every answer; neither notices.</summary>
public sealed class WorkerDeathTests(ITestOutputHelper output)
{
    // Of the client, between two kills at most: some two seconds.
    private const int Rounds = 600;

    // QEMU waits so long for an answer (x-msg-timeout), and then takes the device for dead.
    private static readonly TimeSpan s_qemuTimeout = TimeSpan.FromSeconds(5);

    [Fact]
    public void A_VM_that_draws_outlives_its_workers() => Outlive(kills: 10, seed: 1);

    [Fact]
    [Trait("Length", "long")]
    public void A_VM_that_draws_outlives_200_workers() => Outlive(kills: 200, seed: 2);

    private void Outlive(int kills, int seed)
    {
        var random = new Random(seed);
        using var place = new Workplace(Published());
        InstanceDefinition desk = place.Start();
        InstanceDefinition other = place.Start();
        using TestMachine machine = TestMachine.Boot(new VgpuAttachment(place.Socket(desk)));
        using var client = new CheckingClient(place.Socket(other));
        machine.Shell.Run("(while :; do echo $RANDOM $RANDOM $RANDOM; done >/dev/tty0) & echo drawing");
        List<double> gaps = [];
        for (int kill = 0; kill < kills; kill++)
        {
            InstanceDefinition victim = kill % 2 == 0 ? desk : other;
            int pid = place.Pid(victim);
            client.WaitForRounds(random.Next(1, Rounds));
            client.Mark();
            Workplace.Signal(pid, "KILL");
            Workplace.Eventually(() => place.Host.Status(victim.Uuid) is { } status && status.Pid != pid, $"nobody took over from the worker that was killed as number {kill}");
            client.WaitForRounds(2);
            if (victim == other)
            {
                gaps.Add(client.LongestSinceMark.TotalMilliseconds);
            }

            Assert.False(machine.Qemu.Process.HasExited, machine.Qemu.Errors);
        }

        machine.Shell.Run("kill $!; wait $!; true");
        using (new Drawing(machine.Shell, "--mode 1024x768 --pattern noise --seed 5"))
        {
            Picture expected = GuestPattern.Noise(1024, 768, 5);
            Workplace.Eventually(() => place.Shot(desk) is { } picture && PictureAssert.AreSame(expected, picture), "the guest's picture is not shown");
        }

        client.Stop();
        output.WriteLine($"{client.Rounds} rounds of the client; longest answer after a kill: median {gaps.Order().ElementAt(gaps.Count / 2):0.0} ms, at most {gaps.Max():0.0} ms, of {gaps.Count}");
        Assert.All(gaps, gap => Assert.InRange(gap, 0, s_qemuTimeout.TotalMilliseconds));
        Assert.Equal(kills, place.Host.Status(desk.Uuid)!.Successions + place.Host.Status(other.Uuid)!.Successions);
        Assert.Empty(machine.Shell.Complaints());
        Assert.Equal(string.Empty, machine.Qemu.Errors);
    }

    // As operators have it, compiled ahead: ./test builds it before the VMs' turn. Where it was not, the one beside the tests.
    private static string? Published()
    {
        string published = Path.Combine(Repository.Folder, "artifacts", "vgpu", "vgpu.dll");
        return File.Exists(published) ? published : null;
    }

    // Reads, draws and looks, as fast as it can; whatever is wrong ends it, and the test with it.
    private sealed class CheckingClient : IDisposable
    {
        private readonly DrawingClient _client;
        private readonly Thread _thread;
        private Exception? _fault;
        private volatile bool _stop;
        private long _longest;
        private int _rounds;

        internal CheckingClient(string socket)
        {
            _client = new DrawingClient(socket);
            _thread = new Thread(Run) { Name = "checking client", IsBackground = true };
            _thread.Start();
        }

        internal int Rounds => Volatile.Read(ref _rounds);

        /// <summary>The longest read, or drawing of a picture.</summary>
        internal TimeSpan LongestSinceMark => new(Volatile.Read(ref _longest));

        internal void Mark() => Volatile.Write(ref _longest, 0);

        internal void WaitForRounds(int count)
        {
            int until = Rounds + count;
            Workplace.Eventually(() => Rounds >= until || !_thread.IsAlive, "the client stands still");
            Assert.True(_thread.IsAlive, _fault?.ToString());
        }

        internal void Stop()
        {
            _stop = true;
            _thread.Join();
            Assert.True(_fault is null, _fault?.ToString());
        }

        public void Dispose()
        {
            _stop = true;
            _thread.Join();
            _client.Dispose();
        }

        private void Run()
        {
            try
            {
                while (!_stop)
                {
                    long begun = Stopwatch.GetTimestamp();
                    Assert.Equal(0x1050_1af4u, _client.Remote.Client.RegionRead<uint>(7, 0));
                    Note(Stopwatch.GetElapsedTime(begun));
                    begun = Stopwatch.GetTimestamp();
                    _client.Draw(_rounds);
                    Note(Stopwatch.GetElapsedTime(begun));
                    Interlocked.Increment(ref _rounds);
                }
            }
#pragma warning disable CA1031 // Whatever it is, the test's own thread tells of it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _fault = e;
            }
        }

        private void Note(TimeSpan taken) => Volatile.Write(ref _longest, Math.Max(_longest, taken.Ticks));
    }
}
