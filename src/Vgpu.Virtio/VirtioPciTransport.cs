// A virtio device as a modern PCI function: capabilities, one BAR of registers, interrupts, and the worker for its
// queues. virtio 1.2, 4.1. The BAR is laid out as QEMU's virtio-pci lays its out.
using Microsoft.Extensions.Logging;
using Vgpu.Pci;
using Vgpu.Vfio.Iommu;
using static Vgpu.Pci.PciIds;
using static Vgpu.Virtio.VirtioPci;

namespace Vgpu.Virtio;

/// <summary>
/// Carries a <see cref="VirtioDevice"/>, which it owns and disposes. BAR 0 (32 bits, 16 KiB, trapped and not mappable, so
/// that stock QEMU posts the notifications) holds the common configuration, ISR status, device configuration and
/// notification areas; with MSI-X a vector for each queue and one for configuration changes.
/// </summary>
/// <remarks>
/// Notifications and the ISR status take no device lock; the other registers do. An exception out of the device is
/// logged and answered with DEVICE_NEEDS_RESET: it ends neither the worker nor the connection.
/// </remarks>
public sealed partial class VirtioPciTransport : PciFunction, IVirtioTransport, IMmioHandler, IVirtqueueOwner, IVirtioCommonConfigOwner
{
    private const int RegisterBar = 0;
    private const uint RegisterBarSize = 0x4000;
    private const uint CommonOffset = 0x0000;
    private const uint IsrOffset = 0x1000;
    private const uint DeviceOffset = 0x2000;
    private const uint NotifyOffset = 0x3000;
    private const uint AreaSize = 0x1000;
    private const uint NotifyMultiplier = 4;

    private const long LogMilliseconds = 1000;

    private readonly VirtioDevice _device;
    private readonly Virtqueue[] _queues;
    private readonly VirtioCommonConfig _common;
    private readonly VirtqueueWorker _worker;
    private byte _isr;
    private volatile bool _resetting;
    private long _lastLog = long.MinValue / 2;
    private int _unlogged;

    /// <summary>
    /// Makes the function and starts the worker. <paramref name="rom"/> is an expansion ROM image, or empty. Throws
    /// <see cref="ArgumentException"/> where the device's queues or configuration do not fit.
    /// </summary>
    public VirtioPciTransport(Type2 iommu, VirtioDevice device, PciInterruptMode interrupts, ILogger log, ReadOnlyMemory<byte> rom = default)
        : base(iommu, Identify(device), interrupts, device.QueueSizes.Count + 1)
    {
        if (device.QueueSizes.Count > VirtqueueWorker.MaxQueues || device.ConfigSize > AreaSize
            || device.QueueSizes.Any(size => size == 0 || size > VirtioRing.VRING_MAX_SIZE || (size & (size - 1)) != 0))
        {
            throw new ArgumentException("The device has too many queues, a queue of a size that is no power of two, or too much configuration.", nameof(device));
        }

        Log = log;
        _device = device;
        device.Transport = this;
        _queues = [.. device.QueueSizes.Select((size, index) => new Virtqueue(this, index, size))];
        ulong offered = device.DeviceFeatures | VirtioFeatures.VIRTIO_F_VERSION_1
            | VirtioFeatures.VIRTIO_F_INDIRECT_DESC | VirtioFeatures.VIRTIO_F_EVENT_IDX;
        _common = new VirtioCommonConfig(this, offered, _queues);

        AddBar(new PciBar { Index = RegisterBar, Size = RegisterBarSize, Handler = this });
        AddArea(VIRTIO_PCI_CAP_COMMON_CFG, CommonOffset, AreaSize);
        AddArea(VIRTIO_PCI_CAP_ISR_CFG, IsrOffset, AreaSize);
        AddArea(VIRTIO_PCI_CAP_DEVICE_CFG, DeviceOffset, AreaSize);
        AddArea(VIRTIO_PCI_CAP_NOTIFY_CFG, NotifyOffset, AreaSize, NotifyMultiplier);
        _window = AddArea(VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 0, WindowWritable);
        SetRom(rom);

        _worker = new VirtqueueWorker($"virtio{device.DeviceType} queues", WorkOnce);
        _worker.Start();
    }

    public ILogger Log { get; }

    int IVirtioCommonConfigOwner.Vectors => VectorCount;

    public void ConfigChanged()
    {
        using (InTurn())
        {
            if (!Migration.IsRunning)
            {
                _configPending = true;
                StateChanged();
                CommitState();
                return;
            }

            _common.Generation++;
            StateChanged();
            InterruptForConfig();
            CommitState();
        }
    }

    public void NeedsReset(string why)
    {
        if (_common.IsBroken)
        {
            return;
        }

        _common.SetNeedsReset();
        StateChanged();
        InterruptForConfig();
        if (MayLog())
        {
            Log.LogWarning("The driver must reset the device: {Why}", why);
        }
    }

    public void Wake(int queue)
    {
        if ((uint)queue >= (uint)_queues.Length)
        {
            return;
        }

        if (_device.HasOwnThread(queue))
        {
            _device.QueueReady(queue);
        }
        else
        {
            _worker.Wake(queue);
        }
    }

    void IMmioHandler.Read(ulong offset, Span<byte> data)
    {
        int within = (int)(offset % AreaSize);
        switch (offset - (uint)within)
        {
            case CommonOffset:
                using (InTurn())
                {
                    _common.Read(within, data);
                }

                break;
            case IsrOffset:
                data.Clear();
                if (within == 0 && data.Length != 0)
                {
                    data[0] = TakeIsr();
                }

                break;
            case DeviceOffset:
                ReadDeviceConfig(within, data);
                break;
            default:
                data.Clear();
                break;
        }
    }

    void IMmioHandler.Write(ulong offset, ReadOnlySpan<byte> data)
    {
        int within = (int)(offset % AreaSize);
        switch (offset - (uint)within)
        {
            case CommonOffset:
                // Before the worker's chain has ended and the reset has its turn: see Interrupt.
                if (within == VIRTIO_PCI_COMMON_STATUS && data is [0])
                {
                    _resetting = true;
                }

                using (InTurn())
                {
                    _common.Write(within, data);
                    StateChanged();
                    CommitState();
                }

                break;
            case DeviceOffset:
                WriteDeviceConfig(within, data);
                break;
            case NotifyOffset:
                Wake(within / (int)NotifyMultiplier);
                break;
        }
    }

    void IVirtqueueOwner.InterruptDriver(Virtqueue queue) => Interrupt(queue.Vector, VIRTIO_PCI_ISR_QUEUE);

    void IVirtqueueOwner.RetryLater(Virtqueue queue) => _worker.WakeLater(queue.Index);

    void IVirtioCommonConfigOwner.ResetByDriver() => ResetDevice();

    void IVirtioCommonConfigOwner.DriverReady(ulong features)
    {
        foreach (Virtqueue queue in _queues)
        {
            queue.Activate(features);
        }

        try
        {
            _device.Activate(features);
        }
        catch (Exception exception)
        {
            DeviceFailed(exception);
        }

        WakeAll();
    }

    void IVirtioCommonConfigOwner.QueueReady(Virtqueue queue)
    {
        queue.Activate(_common.DriverFeatures);
        Wake(queue.Index);
    }

    protected override void OnReset() => ResetDevice();

    protected override void OnDmaUnmap(ulong iova, ulong length)
    {
        foreach (Virtqueue queue in _queues)
        {
            queue.DmaUnmap(iova, length);
        }

        try
        {
            _device.DmaUnmap(iova, length);
        }
        catch (Exception exception)
        {
            DeviceFailed(exception);
        }
    }

    protected override void OnBusMaster(bool enabled)
    {
        if (enabled)
        {
            WakeAll();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _worker.Dispose();
            _device.Dispose();
        }

        base.Dispose(disposing);
    }

    private static PciIdentity Identify(VirtioDevice device) => new(
        PCI_VENDOR_ID_REDHAT_QUMRANET,
        (ushort)(VIRTIO_PCI_DEVICE_ID_BASE + device.DeviceType),
        VIRTIO_PCI_ABI_REVISION,
        device.PciClassCode,
        PCI_VENDOR_ID_REDHAT_QUMRANET,
        PCI_SUBDEVICE_ID_QEMU);

    private void ResetDevice()
    {
        _common.Reset();
        foreach (Virtqueue queue in _queues)
        {
            queue.Reset();
        }

        TakeIsr();
        WithdrawMsix();
        _resetting = false;
        _configPending = false;
        _isRecovering = false;
        StateChanged();
        try
        {
            _device.Reset();
        }
        catch (Exception exception)
        {
            // The driver waits for the status to read 0: this is for the log only.
            LogFailure(exception);
        }
    }

    private void ReadDeviceConfig(int offset, Span<byte> data)
    {
        data.Clear();
        if (offset >= _device.ConfigSize)
        {
            return;
        }

        using (InTurn())
        {
            try
            {
                _device.ReadConfig(offset, data[..Math.Min(data.Length, _device.ConfigSize - offset)]);
            }
            catch (Exception exception)
            {
                DeviceFailed(exception);
            }
        }
    }

    private void WriteDeviceConfig(int offset, ReadOnlySpan<byte> data)
    {
        if (offset >= _device.ConfigSize)
        {
            return;
        }

        using (InTurn())
        {
            try
            {
                _device.WriteConfig(offset, data[..Math.Min(data.Length, _device.ConfigSize - offset)]);
                StateChanged();
                CommitState();
            }
            catch (Exception exception)
            {
                DeviceFailed(exception);
            }
        }
    }

    private void DeviceFailed(Exception exception)
    {
        LogFailure(exception);
        NeedsReset("the device model failed");
    }

    private void LogFailure(Exception exception)
    {
        if (MayLog())
        {
            Log.LogError(exception, "The device model failed");
        }
    }

    private void WakeAll()
    {
        foreach (Virtqueue queue in _queues)
        {
            Wake(queue.Index);
        }
    }

    private void InterruptForConfig()
    {
        if (!Migration.IsRunning)
        {
            _configPending = true;
        }
        else if (_common.IsDriverReady)
        {
            Interrupt(_common.ConfigVector, VIRTIO_PCI_ISR_CONFIG);
        }
    }

    // A driver that has asked for a reset hears no more of what came before it: it frees its queues next, and what a
    // late interrupt starts would run on freed memory (Linux 6.12's virtio_gpu_deinit waits for that work before the
    // reset, not after it).
    private void Interrupt(ushort vector, byte cause)
    {
        if (_resetting)
        {
            return;
        }

        if (MsixEnabled)
        {
            if (vector != VIRTIO_MSI_NO_VECTOR)
            {
                TriggerMsix(vector);
            }

            return;
        }

        lock (IntxLock)
        {
            _isr |= cause;
            SetIntx(true);
        }
    }

    /// <summary>Reading the ISR status clears it and lowers the pin (virtio 1.2, 4.1.4.5). Any thread.</summary>
    private byte TakeIsr()
    {
        lock (IntxLock)
        {
            byte isr = _isr;
            _isr = 0;
            SetIntx(false);
            return isr;
        }
    }

    private bool MayLog()
    {
        long now = Environment.TickCount64;
        if (now - _lastLog < LogMilliseconds)
        {
            _unlogged++;
            return false;
        }

        _lastLog = now;
        if (_unlogged != 0)
        {
            Log.LogWarning("{Count} messages of this device were left out", _unlogged);
            _unlogged = 0;
        }

        return true;
    }
}
