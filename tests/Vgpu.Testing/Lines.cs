namespace Vgpu.Testing;

/// <summary>What a process said, line by line.</summary>
public sealed class Lines
{
    private readonly List<string> _lines = [];
    private bool _isEnded;

    /// <summary>A line, or null: it says no more.</summary>
    public void Write(string? line)
    {
        lock (_lines)
        {
            _isEnded |= line is null;
            _lines.AddRange(line is null ? [] : [line]);
            Monitor.PulseAll(_lines);
        }
    }

    /// <summary>The first line with this in it; null where it ended before it said so.</summary>
    public string? First(string part)
    {
        lock (_lines)
        {
            while (true)
            {
                string? found = _lines.Find(line => line.Contains(part, StringComparison.Ordinal));
                if (found is not null || _isEnded)
                {
                    return found;
                }

                Assert.True(Monitor.Wait(_lines, TimeSpan.FromSeconds(30)), $"never said: {part}; but: {this}");
            }
        }
    }

    public void WaitFor(string part) => Assert.True(First(part) is not null, $"never said: {part}; but: {this}");

    public override string ToString()
    {
        lock (_lines)
        {
            return string.Join('\n', _lines);
        }
    }
}
