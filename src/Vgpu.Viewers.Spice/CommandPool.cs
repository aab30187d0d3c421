using System.Runtime.InteropServices;

namespace Vgpu.Viewers.Spice;

// Memory of commands that the library holds until it releases them by number: bounded in commands and bytes. Any thread.
internal sealed unsafe class CommandPool(int capacity, long mostBytes) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly nint[] _blocks = new nint[capacity];
    private readonly long[] _sizes = new long[capacity];
    private long _bytes;
    private int _count;

    /// <summary>How many are out.</summary>
    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Memory, not cleared, and its number; null where too much is out. One that is out alone may have any size.</summary>
    internal byte* TryTake(long size, out ulong number)
    {
        lock (_lock)
        {
            number = 0;
            if (_count == capacity || (_count > 0 && _bytes + size > mostBytes))
            {
                return null;
            }

            int free = Array.IndexOf(_blocks, 0);
            byte* block = (byte*)NativeMemory.Alloc((nuint)size);
            _blocks[free] = (nint)block;
            _sizes[free] = size;
            _bytes += size;
            _count++;
            number = (ulong)free;
            return block;
        }
    }

    /// <summary>Frees one; false for a number that is not out.</summary>
    internal bool Release(ulong number)
    {
        lock (_lock)
        {
            if (number >= (ulong)capacity || _blocks[number] == 0)
            {
                return false;
            }

            NativeMemory.Free((void*)_blocks[number]);
            _blocks[number] = 0;
            _bytes -= _sizes[number];
            _count--;
            return true;
        }
    }

    /// <summary>Frees all: nobody uses any more.</summary>
    public void Dispose()
    {
        for (int i = 0; i < capacity; i++)
        {
            Release((ulong)i);
        }
    }
}
