using Microsoft.Extensions.Logging;
using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Screens;
using Vgpu.Viewers.Rfb;
using Vgpu.Viewers.Web;

namespace Vgpu.View;

/// <summary>All instances of the daemon, with a mirror for each that runs. Any thread.</summary>
internal sealed partial class ShownVgpus : IConsoleVgpus, IDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly DaemonInstances _instances;
    private readonly Func<Instance, ShownVgpu> _show;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, ShownVgpu> _shown = [];
    private readonly HashSet<Guid> _complainedOf = [];
    private readonly Timer _again;
    private bool _disposed;

    /// <summary>Shows what <paramref name="instances"/> tells of from now on, by <paramref name="show"/>.</summary>
    internal ShownVgpus(DaemonInstances instances, Func<Instance, ShownVgpu> show, ILogger log)
    {
        (_instances, _show, _log) = (instances, show, log);
        _again = new Timer(_ => Follow(_instances.Current));
        _instances.Changed += Follow;
    }

    public event Action? Changed;

    public IReadOnlyList<ConsoleVgpu> List()
    {
        _instances.Freshen();
        return [.. _instances.Current.Select(ToConsole)];
    }

    public ConsoleGlance? Glance(Guid uuid, ulong? known)
    {
        Head? head = Find(uuid)?.Screen.Heads.FirstOrDefault(head => head.IsConnected);
        Picture? picture = head?.Capture(withCursor: true);
        if (head is null || picture is null)
        {
            return null;
        }

        // The mirror learns of new pictures only when it is asked for one.
        ulong generation = head.Generation;
        return new ConsoleGlance(generation, generation == known ? null : picture);
    }

    public IConsoleScreen? Open(Guid uuid) => Find(uuid) is { } shown ? new Lent(shown) : null;

    public void Dispose()
    {
        _instances.Changed -= Follow;
        _again.Dispose();
        lock (_lock)
        {
            _disposed = true;
            foreach (ShownVgpu shown in _shown.Values)
            {
                shown.Dispose();
            }

            _shown.Clear();
        }
    }

    private ShownVgpu? Find(Guid uuid)
    {
        lock (_lock)
        {
            return _shown.GetValueOrDefault(uuid);
        }
    }

    private void Follow(IReadOnlyList<Instance> instances)
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _complainedOf.IntersectWith(instances.Select(instance => instance.Uuid));
            Dictionary<Guid, Instance> running = instances.Where(instance => instance is { State: InstanceState.Running, Paths: not null }).ToDictionary(instance => instance.Uuid);
            foreach (ShownVgpu gone in _shown.Values.Where(shown => !running.ContainsKey(shown.Uuid)).ToList())
            {
                _shown.Remove(gone.Uuid);
                gone.Dispose();
            }

            foreach (Instance instance in running.Values.Where(instance => !_shown.ContainsKey(instance.Uuid)))
            {
                try
                {
                    _shown.Add(instance.Uuid, _show(instance));
                    _complainedOf.Remove(instance.Uuid);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    if (_complainedOf.Add(instance.Uuid))
                    {
                        LogNotShown(_log, instance.Name, e.Message);
                    }

                    _again.Change(s_pause, Timeout.InfiniteTimeSpan);
                }
            }
        }

        Changed?.Invoke();
    }

    private static ConsoleVgpu ToConsole(Instance instance) => new()
    {
        Uuid = instance.Uuid,
        Name = instance.Name,
        Type = instance.Type,
        State = instance.State switch
        {
            InstanceState.Running => ConsoleVgpuState.Running,
            InstanceState.Starting => ConsoleVgpuState.Starting,
            InstanceState.Failed => ConsoleVgpuState.Failed,
            _ => ConsoleVgpuState.Stopped,
        },
        Problem = instance.Problem,
        MemoryUsed = instance.Worker?.MemoryUsed ?? 0,
        MemoryLimit = instance.Worker?.MemoryLimit ?? instance.MemoryLimit,
        Modes = [.. (instance.Worker?.Modes ?? []).Where(mode => mode is not null).Select(mode => mode!.Value)],
    };

    [LoggerMessage(LogLevel.Warning, "the screen of {Name} can't be shown yet: {Why}")]
    private static partial void LogNotShown(ILogger log, string name, string why);

    private sealed class Lent(ShownVgpu shown) : IConsoleScreen
    {
        public Screen Screen => shown.Screen;

        public RfbServer? Server => shown.Rfb;

        public CancellationToken Gone => shown.Gone;

        public void Dispose()
        {
            // The mirror is everybody's, and goes with its instance.
        }
    }
}
