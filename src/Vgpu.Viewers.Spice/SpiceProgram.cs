using System.Text;
using Microsoft.Extensions.Logging;
using Vgpu.Screens;

namespace Vgpu.Viewers.Spice;

/// <summary>
/// A process that shows one screen by SPICE and does nothing else: what composition starts it with, and how it ends.
/// </summary>
public static class SpiceProgram
{
    /// <summary>The exit status for what the operator can put right.</summary>
    public const int BadUse = 2;

    /// <summary>Alone: says whether SPICE can be shown here, by the exit status and, where it can't, a line.</summary>
    public const string Probe = "--probe";

    /// <summary>
    /// Serves until standard input ends, which is how its parent, gone or not, ends it. Returns the exit status; what the
    /// operator can put right is said in one line on standard error (status 2).
    /// </summary>
    /// <param name="args">See <see cref="SpiceProgramOptions.TryParse"/>; or <see cref="Probe"/>.</param>
    /// <param name="open">Connects to a screen by the path of its feed; throws <see cref="IOException"/> where it can't. Disposed at the end.</param>
    /// <param name="log">Where the server's lines go.</param>
    public static int Run(IReadOnlyList<string> args, Func<string, (Screen Screen, IDisposable Connection)> open, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(open);
        if (args is [Probe])
        {
            return SpiceServer.IsAvailable ? 0 : Refuse(SpiceServer.Missing);
        }

        if (!SpiceProgramOptions.TryParse(args, out SpiceProgramOptions? options, out string? error))
        {
            return Refuse(error);
        }

        try
        {
            using Stream input = Console.OpenStandardInput();
            SpiceServerOptions server = options.ReadsPassword ? options.Server with { Password = ReadLine(input) } : options.Server;
            (Screen screen, IDisposable connection) = open(options.Feed);
            using (connection)
            using (SpiceServer.Start(screen, server, log))
            {
                WaitForEnd(input);
            }

            return 0;
        }
        catch (IOException e)
        {
            return Refuse(e.Message);
        }
    }

    // No more than the line: what follows is the end.
    private static string ReadLine(Stream input)
    {
        Span<byte> line = stackalloc byte[SpiceProgramOptions.MostPasswordFile];
        int length = 0;
        while (length < line.Length && input.Read(line.Slice(length, 1)) > 0 && line[length] != '\n')
        {
            length++;
        }

        return length > 0 ? Encoding.UTF8.GetString(line[..length]) : throw new SpiceException("the first line of standard input is empty; it is the password");
    }

    private static void WaitForEnd(Stream input)
    {
        Span<byte> ignored = stackalloc byte[256];
        while (input.Read(ignored) > 0)
        {
        }
    }

    private static int Refuse(string error)
    {
        Console.Error.WriteLine($"vgpu spice: {error}");
        return BadUse;
    }
}
