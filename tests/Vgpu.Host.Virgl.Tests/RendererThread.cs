using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Vgpu.Testing;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>The thread that a renderer is for, as a device has one; begins anew what a test left.</summary>
public sealed class RendererThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;
    private VirglRenderer? _renderer;

    public RendererThread()
    {
        _thread = new Thread(Loop) { Name = "renderer", IsBackground = true };
        _thread.Start();
    }

    public ListLogger Log { get; } = new();

    /// <summary>With a renderer that knows of nothing.</summary>
    public void Run(Action<VirglRenderer> test) => RunAlone(() =>
    {
        if (_renderer is null)
        {
            _renderer = VirglRenderer.TryCreate(new VirglOptions(), Log, out string? missing);
            Assert.True(_renderer is not null, missing);
        }

        _renderer.Reset();
        test(_renderer);
    });

    /// <summary>With none in the process.</summary>
    public void RunWithout(Action test) => RunAlone(() =>
    {
        _renderer?.Dispose();
        _renderer = null;
        test();
    });

    public void Dispose()
    {
        RunWithout(() => { });
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    private void RunAlone(Action work)
    {
        ExceptionDispatchInfo? failure = null;
        using var done = new ManualResetEventSlim();
        _work.Add(() =>
        {
            try
            {
                work();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
            finally
            {
                done.Set();
            }
        });
        done.Wait();
        failure?.Throw();
    }

    private void Loop()
    {
        foreach (Action work in _work.GetConsumingEnumerable())
        {
            work();
        }
    }
}
