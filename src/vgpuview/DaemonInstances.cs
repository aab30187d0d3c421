using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.View;

/// <summary>The daemon's instances as it last told of them. A thread follows its events; any thread reads.</summary>
internal sealed class DaemonInstances : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    // What changes without an event, such as the memory that is used, is asked for again where somebody looks.
    private const int StaleMilliseconds = 2000;

    private readonly string _socket;
    private readonly ManualResetEventSlim _ending = new();
    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private IReadOnlyList<Instance> _current = [];
    private long _askedAt;
    private int _asking;

    internal DaemonInstances(string socket)
    {
        _socket = socket;
        _thread = new Thread(Follow) { Name = "daemon", IsBackground = true };
    }

    /// <summary>After <see cref="Current"/> has become another. On the thread that asked, one at a time.</summary>
    internal event Action<IReadOnlyList<Instance>>? Changed;

    internal IReadOnlyList<Instance> Current => Volatile.Read(ref _current);

    internal void Start() => _thread.Start();

    /// <summary>Has it asked again, in the background, where what is known is not fresh.</summary>
    internal void Freshen()
    {
        if (Environment.TickCount64 - Volatile.Read(ref _askedAt) > StaleMilliseconds && Interlocked.Exchange(ref _asking, 1) == 0)
        {
            ThreadPool.QueueUserWorkItem(_ =>
            {
                try
                {
                    using var client = new ApiClient(_socket, s_patience);
                    Ask(client);
                }
                catch (ApiException)
                {
                    // The daemon is away: what is known stays.
                }
                finally
                {
                    Volatile.Write(ref _asking, 0);
                }
            });
        }
    }

    /// <summary>Nothing is asked from now on; a wait for events ends with the process.</summary>
    public void Dispose() => _ending.Set();

    private void Follow()
    {
        do
        {
            try
            {
                using var client = new ApiClient(_socket);
                long last = client.Events(0) is [.., BusEvent event_] ? event_.Number : 0;
                Ask(client);
                foreach (BusEvent _ in client.Follow(last))
                {
                    if (_ending.IsSet)
                    {
                        return;
                    }

                    Ask(client);
                }
            }
            catch (ApiException)
            {
                // It is away, or was too busy for us: from the beginning.
            }
        }
        while (!_ending.Wait(s_pause));
    }

    private void Ask(ApiClient client)
    {
        lock (_lock)
        {
            IReadOnlyList<Instance> now = client.Instances();
            Volatile.Write(ref _current, now);
            Volatile.Write(ref _askedAt, Environment.TickCount64);
            Changed?.Invoke(now);
        }
    }
}
