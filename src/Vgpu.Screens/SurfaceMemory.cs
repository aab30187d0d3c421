using Vgpu.Linux;

namespace Vgpu.Screens;

// The memory behind surfaces, counted: file and mapping go when the last surface on them goes.
internal sealed class SurfaceMemory
{
    private readonly MemoryMapping? _mapping;
    private readonly Action? _released;
    private int _references = 1;

    // Memory of our own: takes ownership of both.
    internal SurfaceMemory(FileDescriptor file, MemoryMapping mapping)
    {
        File = file;
        _mapping = mapping;
    }

    // Somebody else's memory: the descriptor is kept open, the mapping is the owner's until released is called.
    internal SurfaceMemory(FileDescriptor file, Action? released)
    {
        bool added = false;
        file.DangerousAddRef(ref added);
        File = file;
        _released = released;
    }

    internal FileDescriptor File { get; }

    internal void AddReference()
    {
        int references = Volatile.Read(ref _references);
        while (references > 0)
        {
            int seen = Interlocked.CompareExchange(ref _references, references + 1, references);
            if (seen == references)
            {
                return;
            }

            references = seen;
        }

        throw new ObjectDisposedException(nameof(Surface));
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref _references) != 0)
        {
            return;
        }

        if (_mapping is not null)
        {
            _mapping.Dispose();
            File.Dispose();
        }
        else
        {
            File.DangerousRelease();
            _released?.Invoke();
        }
    }
}
