using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>The meter of one instance as the daemon reads it: the file comes and goes on the supervisor's thread, any thread reads.</summary>
internal sealed class MeterWatch : IDisposable
{
    private readonly Lock _lock = new();
    private FileDescriptor? _file;
    private UsageMeter? _meter;

    /// <summary>From now on this file, which stays the caller's; null, or one that is no meter: there is nothing to read.</summary>
    internal void Follow(FileDescriptor? file)
    {
        if (ReferenceEquals(file, _file))
        {
            return;
        }

        lock (_lock)
        {
            _meter?.Dispose();
            _meter = null;
            _file = file;
            try
            {
                _meter = file is null ? null : new UsageMeter(file);
            }
            catch (Exception e) when (e is InvalidDataException or LinuxException)
            {
                // A worker of another program, or one that its guest has taken over.
            }
        }
    }

    /// <summary>A worker's status with what it has counted until now.</summary>
    internal WorkerStatus Complete(WorkerStatus status)
    {
        lock (_lock)
        {
            return _meter is null ? status : status with { Frames = _meter.Frames, ViewedBytes = _meter.ViewedBytes };
        }
    }

    /// <summary>Nothing is read from now on.</summary>
    public void Dispose() => Follow(null);
}
