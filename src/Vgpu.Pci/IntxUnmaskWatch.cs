// Unmasking of INTx by eventfd, which KVM signals at each end of interrupt (a resampling irqfd): a thread waits for it.
// Follows vfio_pci_set_intx_unmask with DATA_EVENTFD (drivers/vfio/pci/vfio_pci_intrs.c, virt/kvm/eventfd.c).
using Vgpu.Linux;

namespace Vgpu.Pci;

/// <summary>
/// One unmask eventfd and the thread that waits for it. It owns the eventfd, and closes it when the thread ends; it ends
/// soon after <see cref="Stop"/>, which does not wait for that, and which the client can't keep from it. Making one
/// throws <see cref="LinuxException"/>.
/// </summary>
internal sealed class IntxUnmaskWatch(Intx intx, EventFd unmask)
{
    private readonly EventFd _stop = EventFd.Create();
    private bool _closed;

    public void Start() => new Thread(Run) { Name = "intx unmask", IsBackground = true }.Start();

    /// <summary>With the lock of INTx held.</summary>
    public void Stop()
    {
        if (!_closed)
        {
            _stop.Signal();
        }
    }

    private void Run()
    {
        var poll = new PollSet();
        while (true)
        {
            poll.Clear();
            int stop = poll.Add(_stop.Descriptor, PollEvents.POLLIN);
            poll.Add(unmask.Descriptor, PollEvents.POLLIN);
            if (!poll.Wait(-1))
            {
                continue; // A signal interrupted it.
            }

            // A descriptor that polls ready and gives no count is no eventfd, and would spin.
            if (poll.Ready(stop) != PollEvents.None || unmask.Take() == 0 || !intx.Unmask(this))
            {
                break;
            }
        }

        lock (intx.Lock)
        {
            _closed = true;
            _stop.Dispose();
            unmask.Dispose();
        }
    }
}
