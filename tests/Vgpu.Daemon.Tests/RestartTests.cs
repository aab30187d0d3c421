using Vgpu.Api;

namespace Vgpu.Daemon.Tests;

/// <summary>A daemon ends or dies, and another one comes at once.</summary>
public sealed class RestartTests
{
    // The workers find it sooner than it asks for them.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Workers_and_clients_go_on_under_the_next_daemon(bool killed)
    {
        using var daemon = new RunningDaemon();
        daemon.Start();
        Api.Instance desk;
        using (ApiClient client = daemon.Client())
        {
            desk = client.Create(new CreateBody { Parent = "software0", Type = "virtio-gpu-64m", Name = "desk" });
            _ = client.Create(new CreateBody { Parent = "software0", Type = "bochs-display-4m", Name = "idle" });
        }

        (int, int) workers = (daemon.WorkerOf("desk"), daemon.WorkerOf("idle"));

        using (var vm = new DrawingVm("desk", desk.Paths!.Socket))
        {
            for (int i = 0; i < 3; i++)
            {
                vm.AwaitPicture();
                (killed ? (Action)daemon.Kill : daemon.End)();
                daemon.Start();
                vm.AwaitPicture();
                Assert.Equal(workers, (daemon.WorkerOf("desk"), daemon.WorkerOf("idle")));
            }

            vm.End();
        }

        using (ApiClient client = daemon.Client())
        {
            client.Remove("desk", force: true);
            client.Remove("idle", force: true);
        }

        daemon.AssertNothingLeft();
    }
}
