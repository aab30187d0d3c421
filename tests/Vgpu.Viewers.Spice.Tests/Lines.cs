namespace Vgpu.Viewers.Spice.Tests;

/// <summary>What a process said, line by line.</summary>
internal sealed class Lines
{
    private readonly List<string> _lines = [];

    public void Write(string line)
    {
        lock (_lines)
        {
            _lines.Add(line);
            Monitor.PulseAll(_lines);
        }
    }

    /// <summary>Waits for a line with this in it.</summary>
    public void WaitFor(string part, int count = 1)
    {
        lock (_lines)
        {
            while (_lines.Count(line => line.Contains(part, StringComparison.Ordinal)) < count)
            {
                Assert.True(Monitor.Wait(_lines, TimeSpan.FromSeconds(30)), $"never said: {part}; but: {string.Join('\n', _lines)}");
            }
        }
    }

    public override string ToString()
    {
        lock (_lines)
        {
            return string.Join('\n', _lines);
        }
    }
}
