// The control queue's work on the renderer's thread: a chain with the device's lock held, the renderer without it, the answer.
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Virtio;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

internal sealed partial class Rendering
{
    private VirtioGpuCtrlHdr _hdr;
    private Virtqueue? _queue;
    private DescriptorChain? _chain;
    private uint _generation;
    private uint _response;
    private bool _needsFence;
    private bool _isUnderWay;
    private ulong _lastFence;

    /// <summary>
    /// Within HandleChain: whether the command's chain is answered by this thread later, for it needs the renderer, or has a fence
    /// and others wait for theirs before it: on one timeline a driver takes each for all before it.
    /// </summary>
    internal bool TryTake(in ControlCommand command, Virtqueue queue, DescriptorChain chain, uint response)
    {
        bool isDeferred = response == ControlCommand.Deferred;
        _needsFence = (command.Hdr.Flags & VIRTIO_GPU_FLAG_FENCE) != 0 && queue.Index == CONTROLQ && (isDeferred || _held.Count != 0);
        if (!isDeferred && !_needsFence)
        {
            return false;
        }

        if (!isDeferred)
        {
            Call.Begin(RendererCallKind.None);
        }

        _response = isDeferred ? VIRTIO_GPU_RESP_OK_NODATA : response;
        _hdr = command.Hdr;
        _queue = queue;
        _chain = chain;
        _generation = queue.Generation;
        _isUnderWay = true;
        _isUsed = true;
        queue.GoOn();
        return true;
    }

    // One unit of work of each queue; false: none has more for now. Later: at another time, for memory is not mapped.
    private bool Work(uint queues, out bool isLater)
    {
        isLater = false;
        if (!CatchUp(out isLater))
        {
            return false;
        }

        for (int queue = 0; queue <= CURSORQ; queue++)
        {
            if ((queues & (1u << queue)) != 0 && WorkOn(queue))
            {
                _ = Interlocked.Or(ref _ready, 1u << queue);
            }
        }

        return Volatile.Read(ref _ready) != 0;
    }

    private bool WorkOn(int queue)
    {
        bool isMore;
        Enter();
        try
        {
            isMore = Transport.Work(queue);
            if (!_isUnderWay)
            {
                return isMore;
            }
        }
        finally
        {
            Transport.Lock.Exit();
        }

        bool isAsked = TryAsk(out RendererFence fence);
        Enter();
        try
        {
            Finish(fence, isAsked);
        }
        finally
        {
            _isUnderWay = false;
            Transport.EndWork(queue);
            Transport.Lock.Exit();
        }

        return true;
    }

    // Without the lock. False: it threw, which is the renderer's fault or this program's, not the guest's.
    private bool TryAsk(out RendererFence fence)
    {
        fence = default;
        try
        {
            BeginAsking();
            Call.Execute(_renderer!);
            if (_needsFence)
            {
                bool hasRing = (_hdr.Flags & VIRTIO_GPU_FLAG_INFO_RING_IDX) != 0;
                fence = new RendererFence(++_lastFence, hasRing ? _hdr.CtxId : 0, hasRing ? _hdr.RingIdx : 0u, hasRing);
                _needsFence = _renderer!.CreateFence(fence) == Errno.None;
            }

            FenceJob(fence);
            return true;
        }
        catch (Exception e)
        {
            Transport.Log.LogRendererFailed(e);
            WithdrawRun();
            return false;
        }
        finally
        {
            EndAsking();
        }
    }

    private void Finish(in RendererFence fence, bool isAsked)
    {
        bool isCurrent = isAsked && _queue!.Generation == _generation;
        foreach (ref readonly FlushTarget target in Call.Targets)
        {
            target.Scanout.Return(target, isCurrent && target.IsDone);
            if (target.IsFirst)
            {
                Transport.StateChanged();
            }
        }

        if (!isAsked)
        {
            Transport.NeedsReset("the renderer failed");
        }

        if (!isCurrent)
        {
            return;
        }

        uint response = _response == VIRTIO_GPU_RESP_OK_NODATA ? Settle() : _response;
        if (response >= VIRTIO_GPU_RESP_ERR_UNSPEC)
        {
            _faults.Report(Transport.Log, _hdr.Type, response);
        }

        var command = ControlCommand.Resume(_queue!, _chain!, Transport.Iommu, _hdr);
        if (response == VIRTIO_GPU_RESP_OK_CAPSET)
        {
            command.Respond(VIRTIO_GPU_RESP_OK_CAPSET, Call.Data.AsSpan(0, Call.DataLength));
        }
        else if (_needsFence)
        {
            Transport.StateChanged();
            _held.Add(fence, _chain!.Head, command.Write(response));
        }
        else
        {
            command.Respond(response);
        }
    }

    // What became of it, in the tables: the response.
    private uint Settle()
    {
        uint response = ResponseTo(Call.Errno);
        bool isDone = Call.Errno == Errno.None;
        switch (Call.Kind)
        {
            case RendererCallKind.GetCapset when isDone:
                return VIRTIO_GPU_RESP_OK_CAPSET;
            case RendererCallKind.CreateContext when !isDone:
            case RendererCallKind.DestroyContext:
                Contexts.Remove(Call.Context);
                break;
            case RendererCallKind.CreateResource:
                Transport.StateChanged();
                Call.Object!.IsProvisional = false;
                if (!isDone)
                {
                    _resources.Remove(Call.Object);
                }

                break;
            case RendererCallKind.DestroyResource:
                Transport.StateChanged();
                _scanouts.Disable(Call.Object!);
                _resources.Remove(Call.Object!);
                break;
            case RendererCallKind.AttachBacking:
                Transport.StateChanged();
                Call.Object!.IsBackingProvisional = false;
                if (!isDone)
                {
                    Detach(Call.Object);
                }

                break;
            case RendererCallKind.DetachBacking:
                Transport.StateChanged();
                Detach(Call.Object!);
                break;
            case RendererCallKind.ReadCursor when isDone:
                Transport.StateChanged();
                ShowCursor?.Invoke(Call);
                break;
        }

        return response;
    }

    /// <summary>Where a cursor's picture goes.</summary>
    internal Action<RendererCall>? ShowCursor { get; set; }

    private void Detach(Resource3D resource)
    {
        resource.IsBacked = false;
        resource.Due &= ~(RendererDue.Back | RendererDue.Fill);
        _resources.Detach(resource);
    }

    private static uint ResponseTo(Errno errno) => errno switch
    {
        Errno.None => VIRTIO_GPU_RESP_OK_NODATA,
        Errno.ENOMEM or Errno.ENOSPC or Errno.E2BIG => VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY,
        Errno.EINVAL => VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
        _ => VIRTIO_GPU_RESP_ERR_UNSPEC,
    };

    // With nobody's lock; takes it where a fence is done.
    private void AnswerFences()
    {
        while (_held.Count + _jobs.Count != 0 && _renderer!.TakeSignalled(out RendererFence fence))
        {
            EndJobs(fence);
            if (_held.Count == 0)
            {
                continue;
            }

            Enter();
            try
            {
                Virtqueue queue = Transport.QueueAt(CONTROLQ);
                while (_held.TryTake(fence, out ushort head, out uint written))
                {
                    Transport.StateChanged();
                    queue.Push(head, written);
                }

                Transport.CommitState();
            }
            finally
            {
                Transport.Lock.Exit();
            }
        }
    }
}
