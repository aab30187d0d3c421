using System.CommandLine;
using System.Net;
using Vgpu.Api;
using Vgpu.Control;

namespace Vgpu.Daemon;

/// <summary>The daemon's command line.</summary>
internal static class Arguments
{
    /// <summary>Parses, and runs with what came of it; the exit status.</summary>
    internal static int Run(string[] words, Func<DaemonOptions, int> run)
    {
        var state = new Option<string?>("--state") { Description = "Folder of definitions (/var/lib/vgpu; of a user: $XDG_STATE_HOME/vgpu)", HelpName = "DIR" };
        var runFolder = new Option<string?>("--run") { Description = "Folder of sockets (/run/vgpu; of a user: $XDG_RUNTIME_DIR/vgpu)", HelpName = "DIR" };
        var tree = new Option<string?>("--tree") { Description = "Where to mount the tree (tree, in the folder of sockets)", HelpName = "DIR" };
        var port = new Option<int?>("--metrics-port") { Description = "Serve metrics on this TCP port too", HelpName = "N" };
        var address = new Option<string>("--metrics-address") { Description = "Its address; beyond loopback only with a token", DefaultValueFactory = _ => "127.0.0.1", HelpName = "IP" };
        var token = new Option<string?>("--metrics-token") { Description = "File with the token that a reader of that port must show", HelpName = "FILE" };
        var web = new Option<string?>("--web") { Description = "Where the browser's console listens (127.0.0.1:6080, or another port where that is taken)", HelpName = "IP:PORT" };
        var webCertificate = new Option<string?>("--web-cert") { Description = "Its certificate, with its chain, in PEM: it speaks HTTPS", HelpName = "FILE" };
        var webKey = new Option<string?>("--web-key") { Description = "The certificate's key, where that is another file", HelpName = "FILE" };
        var noViewers = new Option<bool>("--no-viewers") { Description = "Show no screens by VNC, browser or SPICE" };
        var verbose = new Option<bool>("--verbose") { Description = "Log more" };
        var root = new RootCommand("vgpu's daemon: makes virtual GPUs, starts their workers, and takes orders on a Unix socket. Runs until SIGTERM; workers go on.")
        {
            state, runFolder, tree, port, address, token, web, webCertificate, webKey, noViewers, verbose,
        };
        ParseResult parsed = root.Parse(words);
        if (parsed.Errors.Count > 0 && parsed.Action is not { ClearsParseErrors: true })
        {
            return Complain(parsed.UnmatchedTokens.Count > 0 ? $"'{parsed.UnmatchedTokens[0]}' is no option here" : parsed.Errors[0].Message.TrimEnd('.'));
        }

        root.SetAction(result =>
        {
            try
            {
                string folder = Path.GetFullPath(result.GetValue(runFolder) ?? DaemonPaths.RunFolder ?? throw new ArgumentException("XDG_RUNTIME_DIR is not set; give --run a folder"));
                return run(new DaemonOptions(
                    Path.GetFullPath(result.GetValue(state) ?? DaemonPaths.StateFolder),
                    folder,
                    Path.GetFullPath(result.GetValue(tree) ?? Path.Combine(folder, "tree")),
                    result.GetValue(port) is int number ? Metrics(number, result.GetValue(address)!, result.GetValue(token)) : null,
                    result.GetValue(noViewers) ? null : Viewers(result.GetValue(web), result.GetValue(webCertificate), result.GetValue(webKey)),
                    result.GetValue(verbose)));
            }
            catch (ArgumentException e)
            {
                return Complain(e.Message);
            }
        });
        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    }

    private static MetricsEndpoint Metrics(int port, string address, string? tokenFile)
    {
        if (port is < 1 or > 65_535 || !IPAddress.TryParse(address, out IPAddress? ip))
        {
            throw new ArgumentException($"{address}:{port} is no place for metrics; --metrics-port is 1 to 65535, --metrics-address an IP address");
        }

        if (tokenFile is null)
        {
            return IPAddress.IsLoopback(ip) ? new MetricsEndpoint(new IPEndPoint(ip, port), null) : throw new ArgumentException($"{address} can be reached from other machines; give --metrics-token a file with a token");
        }

        string token = File.Exists(tokenFile) ? File.ReadAllText(tokenFile).Trim() : throw new ArgumentException($"there is no file {tokenFile} with a token; make one with: head -c 24 /dev/urandom | base64");
        return token.Length > 0 ? new MetricsEndpoint(new IPEndPoint(ip, port), token) : throw new ArgumentException($"{tokenFile} is empty; put a token into it with: head -c 24 /dev/urandom | base64");
    }

    // The words that the viewers' process is given; the console's token is a matter of course.
    private static List<string> Viewers(string? web, string? certificate, string? key)
    {
        if (web is not null && !(IPEndPoint.TryParse(web, out IPEndPoint? place) && (certificate is not null || IPAddress.IsLoopback(place.Address))))
        {
            throw new ArgumentException(place is null
                ? $"'{web}' is no place for the browser's console; write it as in 127.0.0.1:6080"
                : $"{web} can be reached from other machines, and plain HTTP shows token and screen to everybody on the way; give --web-cert and --web-key, or an address of 127.0.0.1");
        }

        if (certificate is null && key is not null)
        {
            throw new ArgumentException("--web-key needs --web-cert");
        }

        List<string> words = [];
        foreach ((string option, string? value) in (ReadOnlySpan<(string, string?)>)[("--web", web), ("--web-cert", Existing(certificate)), ("--web-key", Existing(key))])
        {
            words.AddRange(value is null ? [] : [option, value]);
        }

        return words;

        static string? Existing(string? file) => file is null || File.Exists(file) ? file is null ? null : Path.GetFullPath(file) : throw new ArgumentException($"there is no file {file}, which HTTPS needs");
    }

    private static int Complain(string line)
    {
        Console.Error.WriteLine($"vgpud: {line}; 'vgpud --help' shows how");
        return 2;
    }
}
