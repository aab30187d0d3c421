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

    /// <summary>
    /// Serves until standard input ends, which is how its parent, gone or not, ends it. Returns the exit status; what the
    /// operator can put right is said in one line on standard error (status 2).
    /// </summary>
    /// <param name="args">See <see cref="SpiceProgramOptions.TryParse"/>.</param>
    /// <param name="open">Connects to a screen by the path of its feed; throws <see cref="IOException"/> where it can't. Disposed at the end.</param>
    /// <param name="log">Where the server's lines go.</param>
    public static int Run(IReadOnlyList<string> args, Func<string, (Screen Screen, IDisposable Connection)> open, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(open);
        if (!SpiceProgramOptions.TryParse(args, out SpiceProgramOptions? options, out string? error))
        {
            return Refuse(error);
        }

        try
        {
            (Screen screen, IDisposable connection) = open(options.Feed);
            using (connection)
            using (SpiceServer.Start(screen, options.Server, log))
            {
                WaitForEnd();
            }

            return 0;
        }
        catch (IOException e)
        {
            return Refuse(e.Message);
        }
    }

    private static void WaitForEnd()
    {
        using Stream input = Console.OpenStandardInput();
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
