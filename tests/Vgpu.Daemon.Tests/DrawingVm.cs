using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>
/// A VM that draws on its vGPU without an end, each command answered once and well, whoever is killed; on a thread of its own.
/// </summary>
internal sealed class DrawingVm : IDisposable
{
    private readonly DrawingClient _client;
    private readonly Thread _thread;
    private Exception? _failure;
    private volatile bool _ending;
    private volatile int _pictures;

    public DrawingVm(string name, string socket)
    {
        Name = name;
        _client = new DrawingClient(socket);
        _thread = new Thread(Draw) { Name = name };
        _thread.Start();
    }

    public string Name { get; }

    /// <summary>How many it has drawn; fails where it could not go on.</summary>
    public int Pictures
    {
        get
        {
            Assert.True(_failure is null, $"{Name}, after {_pictures} pictures: {_failure}");
            return _pictures;
        }
    }

    /// <summary>Waits until it has drawn another one that was begun after this call.</summary>
    public void AwaitPicture()
    {
        int before = Pictures;
        Workplace.Eventually(() => Pictures >= before + 2, $"{Name} is not served any more");
    }

    /// <summary>Ends it; fails where it could not go on before.</summary>
    public void End()
    {
        _ending = true;
        _thread.Join();
        _ = Pictures;
    }

    public void Dispose()
    {
        _ending = true;
        _thread.Join();
        _client.Dispose();
    }

    private void Draw()
    {
        using var pause = new ManualResetEventSlim();
        try
        {
            while (!_ending)
            {
                Assert.Equal(0x1050_1af4u, _client.Remote.Client.RegionRead<uint>(7, 0));
                _client.Draw(_pictures);
                _pictures++;
                pause.Wait(20);
            }
        }
#pragma warning disable CA1031 // Whatever it is, the test that owns this shows it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
        }
    }
}
