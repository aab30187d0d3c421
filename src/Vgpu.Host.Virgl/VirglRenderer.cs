// OpenGL for guests, by libvirglrenderer: how it begins, what it offers, and how it ends.
using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Host.Virgl.Interop;
using Vgpu.Linux;

namespace Vgpu.Host.Virgl;

/// <summary>
/// Guests' Gallium commands (VirGL) on the host's OpenGL, by libvirglrenderer 0.10.4 to 1.3 and surfaceless EGL. The library's state is
/// the process's, so there is one of these at a time. Every member but <see cref="FencesSignalled"/> and <see cref="Name"/> is for the
/// thread that made it. What a guest may name is checked here before the library hears of it, and what the library says of a guest's
/// mistakes goes to the log, a few lines a minute.
/// </summary>
public sealed unsafe partial class VirglRenderer : IRenderer3D
{
    // Of a fence: VirGL without a thread that waits must be asked.
    private const int PollInterval = 4;

    private static int s_isTaken;

    private readonly LibVirgl _library;
    private readonly nint _cookie;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly bool _isSignalled;
    private readonly List<RendererCapset> _capsets = [];
    private bool _isDisposed;

    private VirglRenderer(LibVirgl library, nint cookie)
    {
        _library = library;
        _cookie = cookie;
        int fd = library.GetPollFd();
        _isSignalled = fd >= 0;
        FencesSignalled = _isSignalled ? Borrow(fd) : EventFd.Create();
        AddCapset(LibVirgl.VIRGL_RENDERER_CAPSET_VIRGL);
        AddCapset(LibVirgl.VIRGL_RENDERER_CAPSET_VIRGL2);
        library.ForceContext0();
        Name = $"{LibVirgl.FileName()} on {LibEgl.RendererName()}";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<RendererCapset> Capsets => _capsets;

    /// <inheritdoc/>
    public EventFd FencesSignalled { get; }

    /// <summary>
    /// What this host lacks for a renderer, one line that says what would give it; null: nothing that can be seen without starting one.
    /// Starts nothing. Any thread.
    /// </summary>
    public static string? FindMissing(VirglOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (VirglHost.This.TryLoad(out string? missing) is not null)
        {
            VirglHost.TryOpen(options.RenderNode, out missing)?.Dispose();
        }

        return missing;
    }

    /// <summary>
    /// The renderer of this process, for this thread; null, with one line for the operator, where the host lacks something or there is
    /// one already. It takes the library's log; <paramref name="log"/> gets its lines.
    /// </summary>
    public static VirglRenderer? TryCreate(VirglOptions options, ILogger log, out string? missing) =>
        TryCreate(VirglHost.This, options, log, out missing);

    internal static VirglRenderer? TryCreate(VirglHost host, VirglOptions options, ILogger log, out string? missing)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        if (host.TryLoad(out missing) is not { } library)
        {
            return null;
        }

        using FileDescriptor? node = VirglHost.TryOpen(options.RenderNode, out missing);
        if (missing is not null)
        {
            return null;
        }

        if (Interlocked.Exchange(ref s_isTaken, 1) != 0)
        {
            missing = "no second VirGL in this process: libvirglrenderer keeps one state for all of it; "
                + "start another process for another vGPU";
            return null;
        }

        VirglRenderer? renderer = null;
        try
        {
            renderer = Start(library, node, options, log, out missing);
            return renderer;
        }
        finally
        {
            if (renderer is null)
            {
                LibraryLog.Take(library, null);
                Volatile.Write(ref s_isTaken, 0);
            }
        }
    }

    /// <inheritdoc/>
    public Errno GetCapset(uint id, uint version, Span<byte> data)
    {
        CheckThread();
        foreach (RendererCapset capset in _capsets)
        {
            if (capset.Id == id && version <= capset.MaxVersion && data.Length == capset.Size)
            {
                // Twice as much as it said: it fills in a union of all sets.
                byte[] filled = new byte[2 * _capsets.Max(each => each.Size)];
                fixed (byte* target = filled)
                {
                    _library.FillCaps(id, version, target);
                }

                filled.AsSpan(0, data.Length).CopyTo(data);
                return Errno.None;
            }
        }

        return Errno.EINVAL;
    }

    /// <inheritdoc/>
    public void Reset()
    {
        CheckThread();

        // One by one, and not by virgl_renderer_reset, which ends the thread that waits for fences and starts no other.
        foreach (uint context in _contexts)
        {
            _library.DestroyContext(context);
        }

        _contexts.Clear();
        foreach ((uint number, VirglResource resource) in _resources)
        {
            Free(number, resource);
        }

        _resources.Clear();
        _fences.Clear();
    }

    /// <summary>Ends what the guest made and the library's state; then there may be another.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        Reset();
        _isDisposed = true;
        _library.Cleanup(_cookie);
        LibraryLog.Take(_library, null);
        FencesSignalled.Dispose();
        Volatile.Write(ref s_isTaken, 0);
    }

    // Signs are mixed, and -1 says nothing.
    private static Errno ErrnoOf(int result) => Math.Abs((long)result) switch
    {
        0 => Errno.None,
        (long)Errno.ENOMEM => Errno.ENOMEM,
        (long)Errno.EBUSY => Errno.EBUSY,
        _ => Errno.EINVAL,
    };

    private static VirglRenderer? Start(LibVirgl library, FileDescriptor? node, VirglOptions options, ILogger log, out string? missing)
    {
        var said = new LibraryLog(log);
        LibraryLog.Take(library, said);
        virgl_renderer_callbacks* callbacks = LibraryCallbacks.Prepare(node);

        // A node is taken by EGL's GBM platform; without one EGL needs no device.
        int flags = LibVirgl.VIRGL_RENDERER_USE_EGL | LibVirgl.VIRGL_RENDERER_THREAD_SYNC
            | (node is null ? LibVirgl.VIRGL_RENDERER_USE_SURFACELESS : 0);
        int result = library.Init((nint)callbacks, flags, callbacks);
        if (result != 0)
        {
            string where = options.RenderNode is null ? "EGL without a screen" : options.RenderNode;
            string words = said.LastOfStart is null ? string.Empty : $", \"{said.LastOfStart}\"";
            missing = $"no VirGL: libvirglrenderer can't start on {where} (error {result}{words}); "
                + "install Debian's packages libegl-mesa0 and libgl1-mesa-dri, or the GPU driver's own EGL";
            return null;
        }

        VirglRenderer renderer;
        try
        {
            renderer = new VirglRenderer(library, (nint)callbacks);
        }
        catch (LinuxException e)
        {
            library.Cleanup((nint)callbacks);
            missing = $"no VirGL: {e.Message}";
            return null;
        }

        if (renderer._capsets.Count == 0)
        {
            renderer.Dispose();
            missing = "no VirGL: libvirglrenderer was built without it; install Debian's package libvirglrenderer1";
            return null;
        }

        said.Started();
        log.Renders(renderer.Name);
        missing = null;
        return renderer;
    }

    // A descriptor of its own for the library's event, which the library closes at its end.
    private static EventFd Borrow(int fd)
    {
        var theirs = new FileDescriptor(fd);
        try
        {
            return new EventFd(theirs.Duplicate());
        }
        finally
        {
            theirs.SetHandleAsInvalid();
        }
    }

    private void AddCapset(uint id)
    {
        uint version = 0;
        uint size = 0;
        _library.GetCapSet(id, &version, &size);
        if (size is > 0 and < 1 << 20)
        {
            _capsets.Add(new RendererCapset(id, version, (int)size));
        }
    }

    // GL's state is the thread's: from another it would work by chance.
    private void CheckThread()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (Environment.CurrentManagedThreadId != _thread)
        {
            throw new InvalidOperationException("A renderer is for the thread that made it.");
        }
    }
}
