// The common configuration as saved state.
using System.Runtime.InteropServices;
using Vgpu.Vfio.Migration;
using static Vgpu.Virtio.VirtioStatus;

namespace Vgpu.Virtio;

internal sealed partial class VirtioCommonConfig
{
    /// <summary>Bytes of a saved state, the queues' not among them.</summary>
    public static int StateLength => Marshal.SizeOf<SavedRegisters>();

    public void SaveState(StateWriter state) => state.Write(new SavedRegisters
    {
        Offered = offered,
        DriverFeatures = DriverFeatures,
        DeviceFeatureSelect = _deviceFeatureSelect,
        DriverFeatureSelect = _driverFeatureSelect,
        QueueSelect = _queueSelect,
        QueueCount = (ushort)queues.Length,
        ConfigVector = ConfigVector,
        Status = Status,
        Generation = Generation,
    });

    /// <summary>After a reset. Only what the registers could have come to by a driver's writes is taken.</summary>
    public void LoadState(StateReader state)
    {
        SavedRegisters saved = state.Read<SavedRegisters>();
        bool isOk = (saved.Status & VIRTIO_CONFIG_S_FEATURES_OK) != 0;
        StateReader.Require(saved.Offered == offered && saved.QueueCount == queues.Length, "a virtio device with other features or queues");
        StateReader.Require(saved.ConfigVector == Vector(saved.ConfigVector), "a vector that is not there");
        StateReader.Require(!isOk || AreAcceptable(saved.DriverFeatures), "features that are not offered");
        StateReader.Require(isOk || (saved.Status & VIRTIO_CONFIG_S_DRIVER_OK) == 0, "a driver that is ready without features");
        DriverFeatures = saved.DriverFeatures;
        _deviceFeatureSelect = saved.DeviceFeatureSelect;
        _driverFeatureSelect = saved.DriverFeatureSelect;
        _queueSelect = saved.QueueSelect;
        ConfigVector = saved.ConfigVector;
        Status = saved.Status;
        Generation = saved.Generation;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedRegisters
    {
        internal ulong Offered;
        internal ulong DriverFeatures;
        internal uint DeviceFeatureSelect;
        internal uint DriverFeatureSelect;
        internal ushort QueueSelect;
        internal ushort QueueCount;
        internal ushort ConfigVector;
        internal byte Status;
        internal byte Generation;
    }
}
