using System.Diagnostics;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Daemon.Tests;

/// <summary>
/// An operator who makes instances, uses them and takes them away, on a thread of their own, and asks again where a daemon
/// died over the question: what there is afterwards is exactly <see cref="Mine"/>.
/// </summary>
internal sealed class Churn : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly RunningDaemon _daemon;
    private readonly Random _random;
    private readonly Thread _thread;
    private readonly List<Guid> _mine = [];
    private readonly ManualResetEventSlim _pause = new();
    private Exception? _failure;
    private volatile bool _ending;

    public Churn(RunningDaemon daemon, int seed)
    {
        (_daemon, _random) = (daemon, new Random(seed));
        _thread = new Thread(Go) { Name = $"churn {seed}" };
        _thread.Start();
    }

    /// <summary>How many were made and taken away.</summary>
    public int Turns { get; private set; }

    /// <summary>What was made and not taken away; after <see cref="End"/>.</summary>
    public IReadOnlyList<Guid> Mine => _mine;

    public void End()
    {
        Dispose();
        Assert.True(_failure is null, $"{_thread.Name}, after {Turns} turns: {_failure}");
    }

    public void Dispose()
    {
        _ending = true;
        _thread.Join();
    }

    private void Go()
    {
        try
        {
            while (!_ending)
            {
                if (_mine.Count < 2 || _random.Next(2) == 0)
                {
                    Make(Guid.NewGuid());
                }
                else
                {
                    Guid last = _mine[_random.Next(_mine.Count)];
                    Remove(last);
                    _ = _mine.Remove(last);
                    Turns++;
                }

                if (_mine.Count > 3)
                {
                    Remove(_mine[0]);
                    _mine.RemoveAt(0);
                    Turns++;
                }
            }
        }
#pragma warning disable CA1031 // Whatever it is, the test that owns this shows it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
        }
    }

    private void Make(Guid uuid)
    {
        bool isThere = false;
        Ask(client =>
        {
            Api.Instance made = isThere ? client.Start($"{uuid}") : client.Create(new CreateBody
            {
                Parent = "software0",
                Type = "bochs-display-4m",
                Uuid = uuid,
            });
            Assert.Equal((uuid, InstanceState.Running), (made.Uuid, made.State));
        }, e =>
        {
            // The answer was lost with the daemon that had done it.
            isThere |= e.Status == 409;
            // Its worker was killed before it served: of a creation nothing is left then, and of a start all but that.
            return e.Status is 0 or 409 or 500;
        });
        _mine.Add(uuid);
    }

    private void Remove(Guid uuid)
    {
        bool lost = false;
        Ask(client =>
        {
            try
            {
                client.Remove($"{uuid}", force: false);
            }
            catch (ApiException e) when (lost && e.Status == 404)
            {
                // As above.
            }
        }, e => lost |= e.Status == 0);
    }

    // Until it is done; a question to a daemon that dies ends with status 0.
    private void Ask(Action<ApiClient> question, Func<ApiException, bool> goesOn)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var client = new ApiClient(_daemon.Socket, s_patience);
                question(client);
                return;
            }
            catch (ApiException e) when (goesOn(e))
            {
                Assert.True(clock.Elapsed < s_patience * 2, $"{_thread.Name} gets no answer: {e.Message}");
                _pause.Wait(20);
            }
        }
    }
}
