using Microsoft.Extensions.Logging;
using Vgpu.Bus.Workers;
using Vgpu.Linux;

namespace Vgpu.Cli.Workers;

/// <summary><c>vgpu worker SOCKET</c>: one instance in a process of its own, for the daemon, which alone starts it.</summary>
internal static class WorkerProgram
{
    /// <summary>Whether these words are the daemon's to a worker.</summary>
    internal static bool IsMeant(string[] words) => words is ["worker", _];

    /// <summary>The whole process; an exit status.</summary>
    internal static int Run(string socket)
    {
        PidFd.LeaveSession();
        var log = new ConsoleLog(Console.Error, LogLevel.Information);
        using var agent = new WorkerAgent(socket, request => new WorkerVgpu(request, log), log);
        return agent.Run(Rehearsal.Run);
    }
}
