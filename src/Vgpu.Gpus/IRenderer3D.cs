// The host GPU's seam for guests that render: what virtio-gpu's 3D commands (virtio 1.2, 5.7.6.8) ask of a renderer library.
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Gpus;

/// <summary>
/// A renderer of guests' command streams. Numbers of contexts and resources are the guest's; the caller keeps them apart and charges
/// for what they hold (<see cref="RendererFormat.BytesOf"/>). Every member but <see cref="Name"/> and <see cref="FencesSignalled"/> is
/// for the one thread that made it, as such libraries keep state of the thread. Errors are the guest's, answered with an
/// <see cref="Errno"/>; nothing of a guest makes it throw.
/// </summary>
/// <remarks>
/// <para>
/// ENOENT: no such context or resource; EEXIST: the number is in use; EINVAL: what makes no sense, or leaves a resource or its memory;
/// ENOMEM: the host has no memory for it. Others are said where they come.
/// </para>
/// <para>
/// Any member may read and write the memory behind a resource, as a stream has transfers in it and results of queries are written when
/// they are ready: before the fence that was asked for after them comes out of <see cref="TakeSignalled"/>.
/// </para>
/// </remarks>
public interface IRenderer3D : IDisposable
{
    /// <summary>For the operator: the library, its version and what draws, for example <c>virglrenderer 1.3.0 on llvmpipe</c>.</summary>
    string Name { get; }

    /// <summary>What guests can be offered; not empty.</summary>
    IReadOnlyList<RendererCapset> Capsets { get; }

    /// <summary>Fills in a capset's description; <paramref name="data"/> has its <see cref="RendererCapset.Size"/>.</summary>
    Errno GetCapset(uint id, uint version, Span<byte> data);

    /// <summary>A context without resources.</summary>
    /// <param name="context">Not 0, and not there.</param>
    /// <param name="capset">The capset's id out of context_init; 0 where CONTEXT_INIT was not agreed on.</param>
    /// <param name="name">The guest's words, for a debugger.</param>
    Errno CreateContext(uint context, uint capset, ReadOnlySpan<byte> name);

    void DestroyContext(uint context);

    Errno AttachResource(uint context, uint resource);

    void DetachResource(uint context, uint resource);

    /// <summary>A resource without backing, that no context has.</summary>
    Errno CreateResource(uint resource, in RendererResource3D description);

    /// <summary>Ends its backing too. Nothing happens for one that is not there.</summary>
    void DestroyResource(uint resource);

    /// <summary>
    /// Host memory behind a resource, which stays where it is until <see cref="DetachBacking"/> or
    /// <see cref="DestroyResource"/> has returned; the guest may change what is in it at any time. The list is copied; EBUSY: it has some.
    /// </summary>
    Errno AttachBacking(uint resource, ReadOnlySpan<HostRun> backing);

    void DetachBacking(uint resource);

    /// <summary>Between a resource and its backing; context 0 where the guest named none. One of no pixels is done at once.</summary>
    Errno Transfer(uint context, uint resource, in RendererTransfer3D transfer);

    /// <summary>Commands of a context, copied out of the guest's reach; a whole number of words. The renderer may write into them.</summary>
    Errno Submit(uint context, Span<byte> commands);

    /// <summary>Asks to be told when everything submitted so far, or of one context's ring, is done. ENOBUFS: too many are due.</summary>
    Errno CreateFence(in RendererFence fence);

    /// <summary>Signalled, by any thread, when <see cref="TakeSignalled"/> may have something; never consumed here.</summary>
    EventFd FencesSignalled { get; }

    /// <summary>Milliseconds until <see cref="TakeSignalled"/> must be called though nobody has signalled; -1: need not.</summary>
    int PollMilliseconds { get; }

    /// <summary>A fence that is done, in the order of each ring; false where there is none at present.</summary>
    bool TakeSignalled(out RendererFence fence);

    /// <summary>
    /// Copies <paramref name="rect"/> of a resource's first level out, B8G8R8A8, the guest's top row first, rows
    /// <paramref name="stride"/> bytes apart and nothing written between them; A is 255 where the resource has none. ENOTSUP: no screen
    /// shows such a resource.
    /// </summary>
    Errno ReadPixels(uint resource, Rect rect, Span<byte> destination, int stride);

    /// <summary>Nothing is left of what the guest made; fences that are due never come.</summary>
    void Reset();
}
