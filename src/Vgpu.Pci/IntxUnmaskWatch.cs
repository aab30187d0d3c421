// Unmasking of INTx by eventfd, which KVM signals at each end of interrupt (a resampling irqfd): a thread waits for it.
// Follows vfio_pci_set_intx_unmask with DATA_EVENTFD (drivers/vfio/pci/vfio_pci_intrs.c, virt/kvm/eventfd.c).
using Vgpu.Linux;

namespace Vgpu.Pci;

/// <summary>
/// One unmask eventfd and the thread that waits for it. It owns the eventfd, and closes it when the thread ends; it ends
/// soon after <see cref="Stop"/>, which does not wait for that.
/// </summary>
internal sealed class IntxUnmaskWatch(Intx intx, EventFd unmask)
{
    private volatile bool _stopped;
    private bool _closed;

    public void Start() => new Thread(Run) { Name = "intx unmask", IsBackground = true }.Start();

    /// <summary>With the lock of INTx held.</summary>
    public void Stop()
    {
        _stopped = true;
        if (!_closed)
        {
            unmask.Signal();
        }
    }

    private void Run()
    {
        while (!_stopped)
        {
            if (!unmask.Wait(-1))
            {
                continue; // A signal interrupted it.
            }

            // A descriptor that polls ready and gives no count is no eventfd, and would spin.
            if (unmask.Take() == 0 || !intx.Unmask(this))
            {
                break;
            }
        }

        lock (intx.Lock)
        {
            _closed = true;
            unmask.Dispose();
        }
    }
}
