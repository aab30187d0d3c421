namespace Vgpu.Bus;

/// <summary>Why the bus refuses: what an API answers by its own status, and a file system by an errno.</summary>
public enum BusError
{
    /// <summary>A value that can't be (EINVAL, HTTP 400).</summary>
    Invalid,

    /// <summary>No such parent, type or instance (ENOENT, HTTP 404).</summary>
    NotFound,

    /// <summary>It is there already (EEXIST, HTTP 409).</summary>
    Exists,

    /// <summary>A budget of the parent is used up (ENOSPC, HTTP 507).</summary>
    Exhausted,

    /// <summary>Not while it runs, or while a client is attached (EBUSY, HTTP 409).</summary>
    Busy,

    /// <summary>The caller may not (EACCES, HTTP 403).</summary>
    Forbidden,

    /// <summary>The host could not: disk full, no descriptors, a worker that does not come up (EIO, HTTP 500).</summary>
    Failed,
}

/// <summary>What was asked can't be done; nothing is half done. The message is one line that says what is wrong and what mends it.</summary>
public sealed class BusException(BusError error, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The kind of refusal.</summary>
    public BusError Error { get; } = error;
}
