using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

// What a keeper is told, and how a session goes on that another process has begun.
internal sealed partial class VfioUserSession
{
    // The maps that were taken over, and their files, while the first message may be one that a predecessor carried out.
    private Dictionary<KeptMap, (ulong Device, ulong Inode)?>? _takenOver;

    // One bit an interrupt index: some of it is masked, as the keeper was told.
    private uint _masksTold;

    private bool IsRepeatPossible => _takenOver is not null;

    /// <summary>
    /// Goes on with a client that was negotiated with: opens the device and gives it the client's maps and interrupts, of which
    /// the descriptors are duplicated. Before the connection's thread begins. Throws <see cref="InvalidDataException"/> and
    /// <see cref="LinuxException"/>; the caller undoes it then.
    /// </summary>
    internal void TakeOver(KeptClient client, ulong clientMaxMsgFds, int maxDataXferSize, Thread connection)
    {
        _takenOver = new Dictionary<KeptMap, (ulong Device, ulong Inode)?>(client.MapCount);
        ClientMaxMsgFds = clientMaxMsgFds;
        _device.Open();
        IsNegotiated = true;
        _clientMemory.Open((ulong)maxDataXferSize, null, connection);
        _device.Iommu.ClientMemory = _clientMemory;
        foreach ((KeptMap map, FileDescriptor? file) in client.Maps)
        {
            _sharedMemory.Mapping(map.Size, file);
            Errno errno = Map(map, file?.Duplicate());
            if (errno != Errno.None)
            {
                throw new LinuxException("VFIO_USER_DMA_MAP of a client that is taken over", errno);
            }

            _takenOver.Add(map, IdentityOf(file));
        }

        foreach ((KeptIrqs irqs, FileDescriptor? eventfd) in client.Irqs)
        {
            TakeOver(irqs, eventfd);
        }
    }

    private void TakeOver(in KeptIrqs irqs, FileDescriptor? eventfd)
    {
        uint available = irqs.Index < (uint)_irqs.Length ? _irqs[irqs.Index].Count : 0;
        if (irqs.Start >= available || (eventfd is not null && !EventFd.IsEventFd(eventfd)))
        {
            throw new InvalidDataException($"the client that is taken over has interrupts ({irqs}) that this device has not");
        }

        if ((irqs.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_MASK) != 0)
        {
            _masksTold |= 1u << (int)irqs.Index;
        }

        ReadOnlySpan<EventFd?> eventfds = eventfd is null ? [] : [new EventFd(eventfd.Duplicate())];
        Errno errno = _device.SetIrqs((int)irqs.Index, irqs.Start, irqs.Count, irqs.Flags, [], eventfds);
        if (errno != Errno.None)
        {
            throw new LinuxException("VFIO_USER_DEVICE_SET_IRQS of a client that is taken over", errno);
        }
    }

    // The message after a predecessor's last one is handled: a second is no repetition.
    private void EndRepeat() => _takenOver = null;

    private Errno Map(in KeptMap map, FileDescriptor? file) =>
        _device.Iommu.Map(map.Iova, map.Size, map.Protection, file, file is null ? 0 : map.FileOffset);

    private Errno MapKept(in KeptMap map, FileDescriptor? file)
    {
        FileDescriptor? duplicate = null;
        try
        {
            duplicate = file?.Duplicate();
        }
        catch (LinuxException e)
        {
            file?.Dispose();
            return e.Errno;
        }

        using (duplicate)
        {
            Errno errno = Map(map, file);
            if (errno == Errno.EEXIST && _takenOver is not null && _takenOver.TryGetValue(map, out var taken) && taken == IdentityOf(duplicate))
            {
                // Carried out and kept by a predecessor, who did not come to answer it.
                return Errno.None;
            }

            if (errno == Errno.None)
            {
                _keeper?.DmaMapped(map, duplicate);
            }

            return errno;
        }
    }

    private Errno Unmap(in DmaUnmap unmap)
    {
        Errno errno = _device.Iommu.Unmap(unmap.Address, unmap.Size);
        if (errno == Errno.None)
        {
            _keeper?.DmaUnmapped(unmap.Address, unmap.Size);
        }

        return errno == Errno.ENOENT && IsRepeatPossible ? Errno.None : errno;
    }

    // Eventfds that come and go, and masks. An interrupt that a client fires by hand leaves nothing; and an unmask, which
    // comes with each end of an INTx interrupt, is of interest only where the client has masked by hand.
    private bool IsKept(in IrqSet set) => _keeper is not null
        && ((set.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD) != 0
            || set.Count == 0
            || (set.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_MASK) != 0
            || ((set.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_UNMASK) != 0 && (_masksTold & (1u << (int)set.Index)) != 0));

    private Errno SetKeptIrqs(in IrqSet set, ReadOnlySpan<byte> bools, ReceivedDescriptors? descriptors)
    {
        var kept = new List<FileDescriptor>();
        try
        {
            // The device owns those that it is given, and may close them at any time.
            for (int i = 0; i < (descriptors?.Count ?? 0); i++)
            {
                kept.Add(descriptors!.Peek(i).Duplicate());
            }

            Errno errno = SetIrqs(set, bools, descriptors);
            if (errno == Errno.None)
            {
                if ((set.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD) == 0)
                {
                    bool isMask = (set.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_MASK) != 0;
                    bool isAll = set.Count == 0 || set.Count == _irqs[set.Index].Count;
                    uint bit = 1u << (int)set.Index;
                    _masksTold = isMask ? _masksTold | bit
                        : isAll && bools.IsEmpty ? _masksTold & ~bit
                        : _masksTold;
                }

                _keeper!.IrqsSet(
                    new KeptIrqs(set.Index, set.Start, set.Count, set.Flags),
                    bools,
                    System.Runtime.InteropServices.CollectionsMarshal.AsSpan(kept));
            }

            return errno;
        }
        catch (LinuxException e)
        {
            return e.Errno;
        }
        finally
        {
            kept.ForEach(eventfd => eventfd.Dispose());
        }
    }

    private static (ulong Device, ulong Inode)? IdentityOf(FileDescriptor? file) =>
        file is not null && FileIdentity.TryOf(file, out FileIdentity identity) ? (identity.Device, identity.Inode) : null;
}
