using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Vgpu.Cli;

/// <summary>
/// Where rows go: over and over into the same place of a terminal, or one after the other where somebody else reads them.
/// </summary>
internal sealed class TopOutput : IDisposable
{
    private const string Escape = "\u001b[";

    private readonly bool _isJson;
    private readonly bool _isLive;
    private readonly StreamWriter _writer;
    private bool _hasWritten;

    /// <summary>Standard output.</summary>
    /// <param name="isJson">A line of JSON for each look.</param>
    /// <param name="isOnce">Nothing is written over.</param>
    internal TopOutput(bool isJson, bool isOnce)
    {
        _isJson = isJson;
        _isLive = !isJson && !isOnce && !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

        // The console's own stream does not say that nobody reads any more; this one does not share its place in a file with whoever
        // writes to that as well.
        Stream standard = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        _writer = new StreamWriter(standard.CanSeek ? Console.OpenStandardOutput() : standard, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    /// <summary>Whether the first look is shown before there is a second one.</summary>
    internal bool IsLive => _isLive;

    /// <summary>False where nobody reads any more.</summary>
    internal bool TryWrite(IReadOnlyList<TopRow> rows)
    {
        try
        {
            Write(rows);
            _writer.Flush();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        try
        {
            _writer.Dispose();
        }
        catch (IOException)
        {
            // Nobody reads what was left.
        }
    }

    private void Write(IReadOnlyList<TopRow> rows)
    {
        if (_isJson)
        {
            _writer.WriteLine(JsonSerializer.Serialize(rows, TopJson.Default.IReadOnlyListTopRow));
            return;
        }

        bool isTerminal = !Console.IsOutputRedirected;
        IReadOnlyList<string> lines = TopTable.Lines(
            rows, DateTime.Now, isTerminal ? Math.Max(1, Console.WindowWidth) : int.MaxValue, _isLive ? Math.Max(3, Console.WindowHeight - 1) : int.MaxValue);
        if (!_isLive)
        {
            _writer.Write(_hasWritten ? "\n" : string.Empty);
            _writer.Write(string.Concat(lines.Select(line => line.TrimEnd() + "\n")));
        }
        else
        {
            // From the upper left corner; what is left of a longer line, and below the last one, is cleared.
            _writer.Write(_hasWritten ? $"{Escape}H" : $"{Escape}H{Escape}2J");
            _writer.Write(string.Concat(lines.Select(line => $"{line.TrimEnd()}{Escape}K\n")));
            _writer.Write($"{Escape}J");
        }

        _hasWritten = true;
    }
}
