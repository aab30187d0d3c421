using System.CommandLine;
using System.Runtime.InteropServices;
using Vgpu.Api;

namespace Vgpu.Cli;

/// <summary><c>vgpu top</c>: what vGPUs use and do, live.</summary>
internal static class TopCommand
{
    private const double ShortestInterval = 0.2;
    private const double LongestInterval = 3600;

    internal static Command Create()
    {
        var command = new DocumentedCommand("top", "Watch what vGPUs use and do, until Ctrl-C", "vgpu top", "vgpu top --sort fps --interval 5", "vgpu top --once --json | jq '.[].frames_per_second'");
        var interval = new Option<double>("--interval") { Description = "Seconds between two looks, over which rates are taken", HelpName = "SECONDS", DefaultValueFactory = _ => 2 };
        var sort = new Option<string>("--sort") { Description = "What comes first: the most of cpu, gpu, memory, fps, viewed or requests; or by name", HelpName = "KEY", DefaultValueFactory = _ => "cpu" };
        sort.AcceptOnlyFromAmong(TopOrder.Keys);
        var once = new Option<bool>("--once") { Description = "Look for one interval, print, and end" };
        var json = new Option<bool>("--json") { Description = "Print a line of JSON for each look" };
        foreach (Option option in (Option[])[interval, sort, once, json])
        {
            command.Add(option);
        }

        var daemon = new DaemonOption(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(interval) is not (>= ShortestInterval and <= LongestInterval and var seconds))
            {
                throw new OperatorException($"--interval is a number of seconds from {ShortestInterval} to {LongestInterval}");
            }

            using ApiClient client = daemon.Connect(parsed);
            using var output = new TopOutput(parsed.GetValue(json), parsed.GetValue(once));
            Watch(client, output, TimeSpan.FromSeconds(seconds), new TopOrder(parsed.GetValue(sort)!), parsed.GetValue(once));
            return 0;
        });
        return command;
    }

    private static void Watch(ApiClient client, TopOutput output, TimeSpan interval, TopOrder order, bool isOnce)
    {
        using var ended = new ManualResetEventSlim();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        TopLook before = TopLook.Take(client);
        bool goesOn = !output.IsLive || output.TryWrite(TopRow.Between(before, before, order));
        while (goesOn && !ended.Wait(interval))
        {
            TopLook now = TopLook.Take(client);
            goesOn = output.TryWrite(TopRow.Between(before, now, order)) && !isOnce;
            before = now;
        }

        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            ended.Set();
        }
    }
}
