namespace Vgpu.Qemu;

/// <summary>
/// The vGPUs of this machine as <see cref="LibvirtHook"/> needs them; by name or UUID. Members throw
/// <see cref="IOException"/> with a line that says what is wrong and what mends it.
/// </summary>
public interface ILibvirtVgpus
{
    /// <summary>Null where it is not defined.</summary>
    HookedVgpu? Find(string nameOrUuid);

    /// <summary>Makes and starts one that is gone once it is stopped.</summary>
    /// <param name="vgpu">Has a parent and a type.</param>
    /// <param name="owner"><c>USER:GROUP</c>, numbers or names, whose its socket is; the daemon's own where null.</param>
    HookedVgpu Make(LibvirtVgpu vgpu, string? owner);

    /// <summary>Starts one that is defined, with its socket this <c>USER:GROUP</c>'s from now on, where that is not null.</summary>
    HookedVgpu Start(string nameOrUuid, string? owner);

    /// <summary>Stops it; nothing where it does not run or is not there.</summary>
    void Stop(string nameOrUuid);
}

/// <summary>A vGPU at one moment.</summary>
public sealed record HookedVgpu
{
    /// <summary>It accepts a client or has one.</summary>
    public required bool Runs { get; init; }

    /// <summary>The VMM's process; null: no client.</summary>
    public int? ClientPid { get; init; }

    /// <summary><c>UID:GID</c> in numbers; null: the daemon's own.</summary>
    public string? Owner { get; init; }

    /// <summary>The vfio-user socket; null where it does not run.</summary>
    public string? SocketPath { get; init; }
}
