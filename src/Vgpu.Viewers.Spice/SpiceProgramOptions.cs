using System.Diagnostics.CodeAnalysis;

namespace Vgpu.Viewers.Spice;

/// <summary>What a SPICE process is started with.</summary>
/// <param name="Feed">The path of the screen's feed.</param>
/// <param name="Server">How it is shown.</param>
/// <param name="ReadsPassword">Whether the password is the first line of standard input, and not among <paramref name="Server"/>.</param>
public sealed record SpiceProgramOptions(string Feed, SpiceServerOptions Server, bool ReadsPassword = false)
{
    internal const int MostPasswordFile = 4096;

    /// <summary>
    /// <c>--feed PATH --address ADDRESS --name NAME [--password-file FILE | --password-stdin] [--tls-cert FILE --tls-key FILE
    /// --tls-ca FILE] [--head N] [--view-only] [--lossless]</c>. The password is the file's, or standard input's, first line.
    /// False with one line that says what is wrong.
    /// </summary>
    public static bool TryParse(IReadOnlyList<string> args, [NotNullWhen(true)] out SpiceProgramOptions? options, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(args);
        options = null;
        var values = new Dictionary<string, string>();
        for (int i = 0; i < args.Count; i++)
        {
            bool isFlag = args[i] is "--view-only" or "--lossless" or "--password-stdin";
            bool hasValue = args[i] is "--feed" or "--address" or "--name" or "--password-file" or "--tls-cert" or "--tls-key" or "--tls-ca" or "--head";
            if (!isFlag && (!hasValue || i + 1 == args.Count))
            {
                error = hasValue ? $"{args[i]} needs a value" : $"there is no option {args[i]}";
                return false;
            }

            values[args[i]] = isFlag ? "" : args[++i];
        }

        error = Build(values, out options);
        return options is not null;
    }

    private static string? Build(Dictionary<string, string> values, out SpiceProgramOptions? options)
    {
        options = null;
        string? feed = values.GetValueOrDefault("--feed");
        if (string.IsNullOrEmpty(feed))
        {
            return "--feed is missing: the path of a screen's feed";
        }

        if (!SpiceAddress.TryParse(values.GetValueOrDefault("--address"), out SpiceAddress? address))
        {
            return "--address is an IP address with a port such as 127.0.0.1:5900, or the path of a Unix socket";
        }

        int head = 0;
        if (values.TryGetValue("--head", out string? number) && !int.TryParse(number, out head))
        {
            return $"--head is a number, not {number}";
        }

        (string? certificate, string? key, string? authority) =
            (values.GetValueOrDefault("--tls-cert"), values.GetValueOrDefault("--tls-key"), values.GetValueOrDefault("--tls-ca"));
        bool isTls = certificate is not null && key is not null && authority is not null;
        if (!isTls && (certificate ?? key ?? authority) is not null)
        {
            return "TLS needs all of --tls-cert, --tls-key and --tls-ca";
        }

        string? password = null;
        if (values.TryGetValue("--password-file", out string? file) && ReadPassword(file, out password) is { } unreadable)
        {
            return unreadable;
        }

        options = new SpiceProgramOptions(feed, new SpiceServerOptions
        {
            Name = values.GetValueOrDefault("--name", "vgpu"),
            Address = address,
            Password = password,
            Tls = isTls ? new SpiceTls(certificate!, key!, authority!) : null,
            TakesInput = !values.ContainsKey("--view-only"),
            IsLossless = values.ContainsKey("--lossless"),
            Head = head,
        }, values.ContainsKey("--password-stdin"));
        return null;
    }

    private static string? ReadPassword(string file, out string? password)
    {
        password = null;
        try
        {
            if (new FileInfo(file).Length > MostPasswordFile)
            {
                return $"{file} is no password file: it is too long";
            }

            password = File.ReadLines(file).FirstOrDefault();
            return string.IsNullOrEmpty(password) ? $"the first line of {file} is empty; it is the password" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the password file can't be read: {e.Message}";
        }
    }
}
