using System.Diagnostics;

namespace Vgpu.Linux.Tests;

/// <summary>Processor time of this process and of others.</summary>
public sealed class ProcessorTimeTests
{
    [Fact]
    public void It_grows_with_what_a_process_does_and_ends_with_it()
    {
        ulong before = ProcessorTime.Of(Environment.ProcessId)!.Value;
        ulong sum = 0;
        while (ProcessorTime.Of(Environment.ProcessId) < before + 10_000_000)
        {
            sum++;
        }

        Assert.NotEqual(0u, sum);
        using Process other = Process.Start(new ProcessStartInfo("cat") { RedirectStandardInput = true })!;
        Assert.NotNull(ProcessorTime.Of(other.Id));
        other.StandardInput.Close();
        other.WaitForExit();
        Assert.Null(ProcessorTime.Of(other.Id));
        Assert.All([int.MinValue, -1, 0, int.MaxValue], pid => Assert.Null(ProcessorTime.Of(pid)));
    }
}
