// What of a virtio GPU moves to another server: what its driver made and what its screen shows. Its features and queues are
// the transport's.
using System.Runtime.InteropServices;
using Vgpu.Screens;
using Vgpu.Vfio.Migration;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

public sealed partial class VirtioGpuDevice : IVfioMigratable
{
    private bool _isStopped;
    private bool _isLoading;

    // A monitor changed while the device was stopped: the driver hears of it when it goes on.
    private bool _displayChanged;

    /// <summary>Every resource, entry and copy costs more of the quota than it takes in a state: beside that there are the heads.</summary>
    long IVfioMigratable.MaxStateLength =>
        (long)Math.Min(_resources.Memory.Ceiling, long.MaxValue / 4) + HeadsLength;

    /// <summary>What a guest has in a renderer can't be had back from there: it moves when it has let go of all of it.</summary>
    bool IVfioMigratable.IsMovable => _rendering?.IsMovable ?? true;

    long IVfioMigratable.MaxCheckpointLength => CheckpointLengthAt(_resources.Memory.Ceiling);

    private long HeadsLength => Marshal.SizeOf<SavedDevice>() + (_rendering?.MaxStateLength ?? 0)
        + (_heads.Count * (long)(Marshal.SizeOf<SavedMonitor>() + CursorCommands.MaxStateLength + Scanout.MaxStateLength));

    private long CheckpointLengthAt(ulong videoMemory) => ResourceState.MaxCheckpointLength(videoMemory) + HeadsLength;

    public override void OnRunning(bool running)
    {
        _isStopped = !running;
        if (running && _displayChanged)
        {
            _displayChanged = false;
            _eventsRead |= VIRTIO_GPU_EVENT_DISPLAY;
            Transport.ConfigChanged();
        }
    }

    void IVfioMigratable.SaveState(StateWriter state)
    {
        state.Write(new SavedDevice
        {
            Heads = _heads.Count,
            EventsRead = _eventsRead,
            DisplayChanged = _displayChanged ? 1u : 0,
            Resources = CountDone(),
        });
        for (int i = 0; i < _heads.Count; i++)
        {
            HeadState shown = _heads[i].State;
            state.Write(new SavedMonitor
            {
                Width = shown.PreferredMode.Width,
                Height = shown.PreferredMode.Height,
                RefreshHertz = shown.PreferredMode.RefreshHertz,
                IsConnected = shown.IsConnected ? 1 : 0,
            });
        }

        _cursors.SaveState(state);
        foreach (GpuResource resource in _resources.All)
        {
            if (resource is not Resource3D { IsProvisional: true })
            {
                ResourceState.Save(resource, state);
            }
        }

        _scanouts.SaveState(state);
        _rendering?.SaveState(state);
    }

    // One whose command is under way is made anew by a successor.
    private int CountDone()
    {
        int count = _resources.Count;
        foreach (GpuResource resource in _resources.All)
        {
            count -= resource is Resource3D { IsProvisional: true } ? 1 : 0;
        }

        return count;
    }

    void IVfioMigratable.LoadState(StateReader state)
    {
        SavedDevice saved = state.Read<SavedDevice>();
        StateReader.Require(saved.Heads == _heads.Count, "a virtio GPU with another number of heads");
        StateReader.Require((saved.EventsRead & ~VIRTIO_GPU_EVENT_DISPLAY) == 0 && saved.DisplayChanged <= 1, "events that there are not");
        StateReader.Require(saved.Resources is >= 0 and <= MaxResources, "the number of resources");
        var monitors = new SavedMonitor[saved.Heads];
        state.Read(MemoryMarshal.AsBytes(monitors.AsSpan()));
        StateReader.Require(
            Array.TrueForAll(monitors, monitor => monitor.Mode.IsValid && monitor.IsConnected is 0 or 1), "the mode of a monitor");
        _cursors.LoadState(state);
        _resources.Memory.IsRestoring = true;
        try
        {
            LoadResources(saved.Resources, state);
        }
        finally
        {
            _resources.Memory.IsRestoring = false;
        }

        Plug(monitors);
        _eventsRead = saved.EventsRead;
        _displayChanged = saved.DisplayChanged == 1;
        _recovery = state.IsCheckpoint ? new Recovery(_resources, _scanouts) : null;
    }

    private void LoadResources(int count, StateReader state)
    {
        var resources = new ResourceState(_resources, _renderer, _rendering, Transport.Iommu);
        for (int i = 0; i < count; i++)
        {
            resources.Load(state);
        }

        _scanouts.LoadState(state);
        _rendering?.LoadState(state);
    }

    // The driver knows these monitors: they are no news to it.
    private void Plug(SavedMonitor[] monitors)
    {
        _isLoading = true;
        for (int i = 0; i < monitors.Length; i++)
        {
            _heads[i].RequestMode(monitors[i].Mode);
            _heads[i].SetConnected(monitors[i].IsConnected == 1);
        }

        _isLoading = false;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedDevice
    {
        internal int Heads;
        internal uint EventsRead;
        internal uint DisplayChanged;
        internal int Resources;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedMonitor
    {
        internal int Width;
        internal int Height;
        internal int RefreshHertz;
        internal int IsConnected;

        internal readonly DisplayMode Mode => new(Width, Height, RefreshHertz);
    }
}
