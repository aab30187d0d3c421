using System.Collections.Concurrent;
using System.Globalization;

namespace Vgpu.Qemu;

/// <summary>A guest did not do what it was told, or said nothing.</summary>
public sealed class GuestException(string message) : IOException(message);

/// <summary>
/// A shell in the guest over its serial port (guest/init with <c>vgpu.shell</c>): a line in, its output out, then its
/// status. One thread at a time; every call throws <see cref="GuestException"/> where the guest is silent too long.
/// </summary>
public sealed class GuestShell : IDisposable
{
    private const string StatusPrefix = "vgpu-guest: status ";

    private readonly QemuMachine _machine;
    private readonly BlockingCollection<string> _lines = [];
    private readonly Thread _reader;
    private readonly List<string> _transcript = [];

    public GuestShell(QemuMachine machine)
    {
        _machine = machine;
        _reader = new Thread(ReadLines) { Name = "guest serial", IsBackground = true };
        _reader.Start();
    }

    /// <summary>What the guest has said so far, for a failure's message.</summary>
    public string Transcript => string.Join('\n', _transcript.TakeLast(60));

    /// <summary>Waits until the guest takes commands.</summary>
    public void WaitUntilReady(TimeSpan timeout) => ReadUntil(GuestBoot.ReadyLine, timeout);

    /// <summary>Runs a line and returns what it printed; throws where its status is not 0.</summary>
    public string Run(string command, int timeoutSeconds = 60)
    {
        (int status, string output) = TryRun(command, timeoutSeconds);
        return status == 0 ? output : throw new GuestException($"'{command}' gave status {status}:\n{output}");
    }

    /// <summary>Runs a line and returns its status and what it printed.</summary>
    public (int Status, string Output) TryRun(string command, int timeoutSeconds = 60)
    {
        _machine.SerialInput.Write(command + "\n");
        _machine.SerialInput.Flush();
        (string status, string output) = ReadUntil(StatusPrefix, TimeSpan.FromSeconds(timeoutSeconds));
        return (int.Parse(status.AsSpan(StatusPrefix.Length), CultureInfo.InvariantCulture), output);
    }

    /// <summary>What the kernel complained of since it started: warnings with a trace, oopses, and DRM's errors.</summary>
    public string Complaints() =>
        TryRun("dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|\\*ERROR\\*|UBSAN|blocked for more than|virtio.*(fail|error|broken)'").Output;

    public void Dispose()
    {
        _reader.Join(TimeSpan.FromSeconds(10));
        _lines.Dispose();
    }

    private (string Line, string Before) ReadUntil(string prefix, TimeSpan timeout)
    {
        long deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        List<string> before = [];
        while (true)
        {
            int left = (int)Math.Max(0, deadline - Environment.TickCount64);
            if (!_lines.TryTake(out string? line, left))
            {
                string why = _machine.Process.HasExited ? $"QEMU has ended: {_machine.Errors}" : $"silent for {timeout.TotalSeconds:0} s";
                throw new GuestException($"no '{prefix}' ({why}); it said:\n{Transcript}");
            }

            _transcript.Add(line);
            if (line.StartsWith(prefix, StringComparison.Ordinal))
            {
                return (line, string.Join('\n', before));
            }

            before.Add(line);
        }
    }

    private void ReadLines()
    {
        try
        {
            while (_machine.Serial.ReadLine() is string line)
            {
                _lines.Add(line.TrimEnd('\r'));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The machine was ended under the reader.
        }
        finally
        {
            _lines.CompleteAdding();
        }
    }
}
