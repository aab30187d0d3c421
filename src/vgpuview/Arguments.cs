using System.CommandLine;
using System.Net;

namespace Vgpu.View;

/// <summary>The command line, which the daemon writes.</summary>
internal static class Arguments
{
    /// <summary>Parses, and runs with what came of it; the exit status.</summary>
    internal static int Run(string[] words, Func<ViewOptions, int> run)
    {
        var folder = new Option<string>("--run") { Description = "The daemon's folder of sockets", HelpName = "DIR", Required = true };
        var web = new Option<string?>("--web") { Description = "Where the browser's console listens (127.0.0.1:6080, or another port where that is taken)", HelpName = "IP:PORT" };
        var certificate = new Option<string?>("--web-cert") { Description = "Its certificate, with its chain, in PEM: it speaks HTTPS", HelpName = "FILE" };
        var key = new Option<string?>("--web-key") { Description = "The certificate's key, where that is another file", HelpName = "FILE" };
        var verbose = new Option<bool>("--verbose") { Description = "Log more" };
        var root = new RootCommand("Shows the screens of a vgpu daemon's vGPUs by VNC, SPICE and browser. The daemon starts it; it ends with its standard input.") { folder, web, certificate, key, verbose };
        ParseResult parsed = root.Parse(words);
        if (parsed.Errors.Count > 0 && parsed.Action is not { ClearsParseErrors: true })
        {
            return Complain(parsed.Errors[0].Message.TrimEnd('.'));
        }

        root.SetAction(result =>
        {
            IPEndPoint? address = null;
            return result.GetValue(web) is string text && !IPEndPoint.TryParse(text, out address)
                ? Complain($"'{text}' is no place for the console; write it as in 127.0.0.1:6080")
                : run(new ViewOptions(Path.GetFullPath(result.GetValue(folder)!), address, result.GetValue(certificate), result.GetValue(key), result.GetValue(verbose)));
        });
        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    }

    private static int Complain(string line)
    {
        Console.Error.WriteLine($"vgpuview: {line}; 'vgpuview --help' shows how");
        return 2;
    }
}
