// What the renderer is told before the next chain: resources of a predecessor, pictures that were ours, backings that were unmapped.
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Vendors.VirtioGpu;

internal sealed partial class Rendering
{
    // As for a chain: a VMM may be putting its memory map together anew.
    private const long RemapMilliseconds = 500;

    // True: nothing is left. Later: memory is not mapped at this moment.
    private bool CatchUp(out bool isLater)
    {
        isLater = false;
        while (!_stop)
        {
            Resource3D? resource;
            RendererDue step = RendererDue.None;
            Enter();
            try
            {
                if (!_awaited.TryPeek(out resource))
                {
                    return true;
                }

                if (!Transport.Iommu.BusMaster)
                {
                    return false;
                }

                step = Prepare(resource, out isLater);
                if (isLater)
                {
                    return false;
                }

                if (step == RendererDue.None)
                {
                    _awaited.Dequeue();
                    continue;
                }

                _isUsed = true;
            }
            finally
            {
                Transport.Lock.Exit();
            }

            _needsFence = false;
            bool isAsked = TryAsk(out _);
            Enter();
            try
            {
                Settle(resource, step, isAsked && Call.Errno == Errno.None);
                if (!isAsked)
                {
                    Transport.NeedsReset("the renderer failed");
                }

                Transport.CommitState();
            }
            finally
            {
                Transport.Lock.Exit();
            }
        }

        return false;
    }

    // The next step of what is due; None: nothing is, any more.
    private RendererDue Prepare(Resource3D resource, out bool isLater)
    {
        isLater = false;
        bool isThere = _resources.TryFind(resource.Id, out GpuResource? found) && ReferenceEquals(found, resource);
        if (!isThere)
        {
            return RendererDue.None;
        }

        if ((resource.Due & RendererDue.Create) != 0)
        {
            Call.Begin(RendererCallKind.CreateResource, resource: resource.Id);
            Call.Object = resource;
            return RendererDue.Create;
        }

        if ((resource.Due & RendererDue.Back) != 0 && PrepareBacking(resource, out isLater))
        {
            return RendererDue.Back;
        }

        if (isLater)
        {
            return RendererDue.None;
        }

        if ((resource.Due & RendererDue.Fill) != 0 && resource.IsBacked)
        {
            Call.Begin(RendererCallKind.Transfer, resource: resource.Id);
            Call.TransferBox = Resource3DCommands.Picture(
                new Rect(0, 0, (int)Math.Min(resource.Description.Width, int.MaxValue), (int)Math.Min(resource.Description.Height, int.MaxValue)), 0);
            return RendererDue.Fill;
        }

        if ((resource.Due & RendererDue.Show) != 0)
        {
            Call.Begin(RendererCallKind.Flush, resource: resource.Id);
            _scanouts.LendToRecover(resource, Call);
            return RendererDue.Show;
        }

        resource.Due = RendererDue.None;
        return RendererDue.None;
    }

    private bool PrepareBacking(Resource3D resource, out bool isLater)
    {
        isLater = false;
        if (resource.Backing is not { } backing)
        {
            return false;
        }

        Errno errno = backing.Resolve();
        isLater = errno == Errno.EFAULT && Transport.Iommu.MillisecondsSinceUnmap < RemapMilliseconds;
        if (errno != Errno.None)
        {
            resource.Due = isLater ? resource.Due : resource.Due & ~RendererDue.Back;
            return false;
        }

        Call.Begin(RendererCallKind.AttachBacking, resource: resource.Id);
        Call.Object = resource;
        Call.SetRuns(backing.RunSpan);
        resource.IsBacked = true;
        resource.Due &= ~RendererDue.Back;
        return true;
    }

    private void Settle(Resource3D resource, RendererDue step, bool isDone)
    {
        Transport.StateChanged();
        foreach (ref readonly FlushTarget target in Call.Targets)
        {
            target.Scanout.Return(target, target.IsDone, isAgain: true);
        }

        switch (step)
        {
            case RendererDue.Create when !isDone:
                resource.Due = RendererDue.None;
                break;
            case RendererDue.Back when !isDone:
                resource.IsBacked = false;
                break;
            case not RendererDue.Back:
                // A backing that was unmapped meanwhile is due again.
                resource.Due &= ~step;
                break;
        }
    }
}
