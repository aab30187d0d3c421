namespace Vgpu.Gpus.Tests.Shares;

/// <summary>
/// A GPU whose driver lets the work of several vGPUs run in turns so short that each that has work gets the same part of the time:
/// work of one vGPU is done in its order. Or one that does all work in the order in which it came. Times are nanoseconds.
/// </summary>
internal sealed class SimulatedGpu(int vgpus, bool isInOrder)
{
    private readonly Queue<int> _order = new();
    private readonly Queue<double>[] _waiting = [.. Enumerable.Range(0, vgpus).Select(_ => new Queue<double>())];
    private readonly double[] _left = new double[vgpus];

    /// <summary>What each has had of the GPU.</summary>
    internal double[] Given { get; } = new double[vgpus];

    internal void Submit(int vgpu, long length)
    {
        if (isInOrder)
        {
            _order.Enqueue(vgpu);
        }

        if (_left[vgpu] > 0)
        {
            _waiting[vgpu].Enqueue(length);
        }
        else
        {
            _left[vgpu] = length;
        }
    }

    /// <summary>Nanoseconds until something is done, if nothing is added; null: there is nothing to do.</summary>
    internal double? Next => Active == 0 ? null : _left.Where((_, i) => Runs(i)).Min() * Active;

    /// <summary>Goes on; the vGPUs of which something was done.</summary>
    internal IReadOnlyList<int> Advance(double time)
    {
        List<int> done = [];
        bool[] runs = [.. Enumerable.Range(0, vgpus).Select(Runs)];
        double each = Active == 0 ? 0 : time / Active;
        for (int i = 0; i < vgpus; i++)
        {
            if (!runs[i])
            {
                continue;
            }

            Given[i] += Math.Min(each, _left[i]);
            _left[i] -= each;
            if (_left[i] < 1)
            {
                _left[i] = _waiting[i].TryDequeue(out double next) ? next : 0;
                done.Add(i);
                if (isInOrder)
                {
                    _order.Dequeue();
                }
            }
        }

        return done;
    }

    private int Active => Enumerable.Range(0, vgpus).Count(Runs);

    private bool Runs(int vgpu) => _left[vgpu] > 0 && (!isInOrder || _order.Peek() == vgpu);
}
