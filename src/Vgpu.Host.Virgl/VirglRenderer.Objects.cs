// What a guest makes: contexts, resources, and the memory behind them.
using Vgpu.Gpus;
using Vgpu.Host.Virgl.Interop;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Host.Virgl;

public sealed unsafe partial class VirglRenderer
{
    // Of a context's name, the zero behind it included: what the library reads of it (virtio 1.2, 5.7.6.8).
    private const int NameBytes = 64;

    private readonly HashSet<uint> _contexts = [];
    private readonly Dictionary<uint, VirglResource> _resources = [];

    /// <inheritdoc/>
    public Errno CreateContext(uint context, uint capset, ReadOnlySpan<byte> name)
    {
        CheckThread();
        if (context == 0 || (capset != 0 && !_capsets.Exists(each => each.Id == capset)))
        {
            return Errno.EINVAL;
        }

        if (_contexts.Contains(context))
        {
            return Errno.EEXIST;
        }

        Span<byte> text = stackalloc byte[NameBytes];
        text.Clear();
        name[..Math.Min(name.Length, NameBytes - 1)].CopyTo(text);
        Errno error;
        fixed (byte* start = text)
        {
            // Sound: the library reads up to 64 bytes, the last of which is a zero.
            error = ErrnoOf(_library.CreateContext(context, capset, (uint)text.IndexOf((byte)0), start));
        }

        if (error == Errno.None)
        {
            _contexts.Add(context);
        }

        return error;
    }

    /// <inheritdoc/>
    public void DestroyContext(uint context)
    {
        CheckThread();
        if (_contexts.Remove(context))
        {
            _library.DestroyContext(context);
        }
    }

    /// <inheritdoc/>
    public Errno AttachResource(uint context, uint resource)
    {
        CheckThread();
        if (!_contexts.Contains(context) || !_resources.ContainsKey(resource))
        {
            return Errno.ENOENT;
        }

        _library.AttachResource(context, resource);
        return Errno.None;
    }

    /// <inheritdoc/>
    public void DetachResource(uint context, uint resource)
    {
        CheckThread();
        if (_contexts.Contains(context) && _resources.ContainsKey(resource))
        {
            _library.DetachResource(context, resource);
        }
    }

    /// <inheritdoc/>
    public Errno CreateResource(uint resource, in RendererResource3D description)
    {
        CheckThread();
        if (resource == 0 || description.Width == 0 || description.Height == 0 || description.Depth == 0 || description.ArraySize == 0)
        {
            return Errno.EINVAL;
        }

        if (_resources.ContainsKey(resource))
        {
            return Errno.EEXIST;
        }

        var args = new virgl_renderer_resource_create_args
        {
            handle = resource,
            target = description.Target,
            format = description.Format,
            bind = description.Bind,
            width = description.Width,
            height = description.Height,
            depth = description.Depth,
            array_size = description.ArraySize,
            last_level = description.LastLevel,
            nr_samples = description.Samples,
            flags = description.Flags,
        };
        Errno error = ErrnoOf(_library.CreateResource(&args));
        if (error == Errno.None)
        {
            _resources.Add(resource, new VirglResource(description));
        }

        return error;
    }

    /// <inheritdoc/>
    public void DestroyResource(uint resource)
    {
        CheckThread();
        if (_resources.Remove(resource, out VirglResource? removed))
        {
            Free(resource, removed);
        }
    }

    /// <inheritdoc/>
    public Errno AttachBacking(uint resource, ReadOnlySpan<HostRun> backing)
    {
        CheckThread();
        if (!_resources.TryGetValue(resource, out VirglResource? found))
        {
            return Errno.ENOENT;
        }

        if (backing.IsEmpty)
        {
            return Errno.EINVAL;
        }

        if (found.Vectors is not null)
        {
            return Errno.EBUSY;
        }

        if (!found.TrySetBacking(backing))
        {
            return Errno.ENOMEM;
        }

        // Sound: the list stays where it is until the library has let go of it, and the caller keeps the memory.
        Errno error = ErrnoOf(_library.AttachIov(resource, found.Vectors, found.VectorCount));
        if (error != Errno.None)
        {
            found.FreeBacking();
        }

        return error;
    }

    /// <inheritdoc/>
    public void DetachBacking(uint resource)
    {
        CheckThread();
        if (_resources.TryGetValue(resource, out VirglResource? found))
        {
            Detach(resource, found);
        }
    }

    // The memory first: a view or a query of some context can keep the library's resource, and its pointer, beyond this.
    private void Free(uint number, VirglResource resource)
    {
        Detach(number, resource);
        _library.UnrefResource(number);
    }

    private void Detach(uint number, VirglResource resource)
    {
        if (resource.Vectors is not null)
        {
            _library.DetachIov(number);
            resource.FreeBacking();
        }
    }
}
