using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.VfioUser.Server;

/// <summary>
/// Says once to the operator when the VM does not share its RAM. Without a share=on backend QEMU sends no file; with
/// share=off it sends the file of a private mapping, where the guest's writes go to copies that only QEMU sees. One per
/// connection, connection thread only.
/// </summary>
/// <remarks>The first large map decides: RAM is mapped before any BAR, whose maps come without a file too.</remarks>
internal sealed class SharedMemoryCheck(ILogger log, LogGate gate, ulong largeMapSize, int pid)
{
    // Reading another process's maps waits for that process's memory lock, which it can hold for as long as it likes:
    // so another thread does it, and no second one while the first waits.
    private static int _reading;

    private bool _decided;

    /// <summary>A range is about to be mapped. Keeps nothing of <paramref name="file"/>.</summary>
    internal void Mapping(ulong size, FileDescriptor? file)
    {
        if (_decided || size < largeMapSize)
        {
            return;
        }

        _decided = true;
        if (file is null)
        {
            if (gate.TryEnter())
            {
                log.MemoryNotShared();
            }

            return;
        }

        if (Interlocked.Exchange(ref _reading, 1) == 0)
        {
            (ulong Device, ulong Inode) identity = file.Inspect().Identity;
            ThreadPool.UnsafeQueueUserWorkItem(static state => state.Check.Read(state.Identity), (Check: this, Identity: identity), preferLocal: false);
        }
    }

    private void Read((ulong Device, ulong Inode) identity)
    {
        try
        {
            if (PeerMappings.ArePrivate(pid, identity) && gate.TryEnter())
            {
                log.MemoryPrivate();
            }
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }
}
