using System.Text.Json;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>What an operator does, with one tool or the other; each step must succeed.</summary>
internal interface IHand
{
    /// <summary><c>TYPE AVAILABLE</c> of each.</summary>
    IReadOnlyList<string> Types();

    void Define(Guid uuid, string type);

    void Set(Guid uuid, string name, string value);

    void Auto(Guid uuid);

    void Start(Guid uuid);

    void StartTransient(Guid uuid, string type);

    void Stop(Guid uuid);

    void Remove(Guid uuid);

    IReadOnlyList<Guid> Defined();

    IReadOnlyList<Guid> Active();

    /// <summary>A start that must be refused as the budget is used up; of a transient one where there is a type.</summary>
    void AssertExhausted(Guid uuid, string? type);
}

/// <summary>A stock mdevctl on the tree.</summary>
internal sealed class MdevctlHand(RunningDaemon daemon) : IHand
{
    private const string Available = "Available instances: ";

    public IReadOnlyList<string> Types()
    {
        List<string> types = [];
        foreach (string line in Ok("types").Split('\n').Skip(1))
        {
            string text = line.Trim();
            if (text.StartsWith(Available, StringComparison.Ordinal))
            {
                types[^1] += " " + text[Available.Length..];
            }
            else if (line.StartsWith("  ", StringComparison.Ordinal) && line[2] != ' ')
            {
                types.Add(text);
            }
        }

        return types;
    }

    public void Define(Guid uuid, string type) => Ok("define", "--uuid", $"{uuid}", "--parent", "software0", "--type", type);

    public void Set(Guid uuid, string name, string value) => Ok("modify", "--uuid", $"{uuid}", "--addattr", name, "--value", value);

    public void Auto(Guid uuid) => Ok("modify", "--uuid", $"{uuid}", "--auto");

    public void Start(Guid uuid) => Ok("start", "--uuid", $"{uuid}");

    public void StartTransient(Guid uuid, string type) => Ok("start", "--uuid", $"{uuid}", "--parent", "software0", "--type", type);

    public void Stop(Guid uuid) => Ok("stop", "--uuid", $"{uuid}");

    public void Remove(Guid uuid) => Ok("undefine", "--uuid", $"{uuid}");

    public IReadOnlyList<Guid> Defined() => Uuids(Ok("list", "--defined"));

    public IReadOnlyList<Guid> Active() => Uuids(Ok("list"));

    public void AssertExhausted(Guid uuid, string? type)
    {
        (int status, string output) = Mdevctl.Run(daemon.Tree, ["start", "--uuid", $"{uuid}", .. type is null ? (string[])[] : ["--parent", "software0", "--type", type]]);
        Assert.Equal(1, status);
        Assert.Contains("No available instances of", output, StringComparison.Ordinal);
    }

    private static List<Guid> Uuids(string lines) => [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Guid.Parse(line.Split(' ')[0]))];

    private string Ok(params IEnumerable<string> arguments) => Mdevctl.Ok(daemon.Tree, arguments);
}

/// <summary><c>vgpu</c>.</summary>
internal sealed class VgpuHand(RunningDaemon daemon) : IHand
{
    public IReadOnlyList<string> Types() =>
        [.. Json("types").EnumerateArray().Single().GetProperty("types").EnumerateArray().Select(type => $"{type.GetProperty("name")} {type.GetProperty("available_instances")}")];

    public void Define(Guid uuid, string type) => Ok("create", "software0", type, "--uuid", $"{uuid}", "--no-start");

    public void Set(Guid uuid, string name, string value) => Ok("set", $"{uuid}", $"{name}={value}");

    public void Auto(Guid uuid) => Ok("set", $"{uuid}", "auto=on");

    public void Start(Guid uuid) => Ok("start", $"{uuid}");

    public void StartTransient(Guid uuid, string type) => Ok("create", "software0", type, "--uuid", $"{uuid}", "--transient");

    public void Stop(Guid uuid) => Ok("stop", $"{uuid}");

    public void Remove(Guid uuid) => Ok("remove", $"{uuid}");

    public IReadOnlyList<Guid> Defined() => [.. List(instance => instance.GetProperty("persistent").GetBoolean())];

    public IReadOnlyList<Guid> Active() => [.. List(instance => instance.GetProperty("state").GetString() == "running")];

    public void AssertExhausted(Guid uuid, string? type) =>
        (type is null ? daemon.Vgpu("start", $"{uuid}") : daemon.Vgpu("create", "software0", type, "--uuid", $"{uuid}", "--transient")).AssertOneLine(1, "used up");

    private IEnumerable<Guid> List(Func<JsonElement, bool> which) => Json("list").EnumerateArray().Where(which).Select(instance => instance.GetProperty("uuid").GetGuid());

    private JsonElement Json(string verb) => JsonDocument.Parse(daemon.Vgpu(verb, "--json").AssertDone()).RootElement;

    private void Ok(string verb, params string[] words) => daemon.Vgpu(verb, words).AssertDone();
}
