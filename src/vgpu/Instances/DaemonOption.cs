using System.CommandLine;
using System.CommandLine.Completions;
using Vgpu.Api;

namespace Vgpu.Cli;

/// <summary>Which daemon a command asks, and what can be completed by asking it.</summary>
internal sealed class DaemonOption
{
    // Somebody waits for the shell; a machine under load may need seconds to begin this program and the question.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Option<string?> _socket = new("--socket") { Description = "The daemon's socket ($VGPU_SOCKET; else your own daemon's, else the system's)", HelpName = "PATH" };

    internal DaemonOption(Command command) => command.Add(_socket);

    /// <summary>Nothing is asked yet.</summary>
    internal ApiClient Connect(ParseResult parsed) => new(parsed.GetValue(_socket) ?? DaemonPaths.FindSocket());

    /// <summary>An instance's name, which completes.</summary>
    internal Argument<string> Instance()
    {
        var name = new Argument<string>("NAME") { Description = "The instance's name or UUID" };
        name.CompletionSources.Add(InstanceNames);
        return name;
    }

    internal IEnumerable<CompletionItem> InstanceNames(CompletionContext context) =>
        Ask(context, client => client.Instances().Select(instance => new CompletionItem(instance.Name)));

    internal IEnumerable<CompletionItem> ParentNames(CompletionContext context) =>
        Ask(context, client => client.Parents().Select(parent => new CompletionItem(parent.Name)));

    /// <summary>The types of a parent that is on the line already; of all where there is none.</summary>
    internal IEnumerable<CompletionItem> TypeNames(CompletionContext context, Argument<string> parent) => Ask(context, client =>
    {
        string? chosen = context.ParseResult.GetResult(parent)?.Tokens is [{ Value: string value }] ? value : null;
        return client.Parents().Where(known => chosen is null || known.Name == chosen).SelectMany(known => known.Types).Select(type => type.Name).Distinct().Select(name => new CompletionItem(name));
    });

    // Silent where nobody answers: a completion is no place for complaints.
    private IEnumerable<CompletionItem> Ask(CompletionContext context, Func<ApiClient, IEnumerable<CompletionItem>> question)
    {
        try
        {
            string? socket = context.ParseResult.GetResult(_socket)?.Tokens is [{ Value: string value }] ? value : null;
            using var client = new ApiClient(socket ?? DaemonPaths.FindSocket(), s_patience);
            return [.. question(client)];
        }
        catch (ApiException)
        {
            return [];
        }
    }
}
