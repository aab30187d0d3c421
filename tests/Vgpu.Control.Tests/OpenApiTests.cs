using System.Text.Json;
using System.Text.RegularExpressions;

namespace Vgpu.Control.Tests;

/// <summary>The OpenAPI document against what is served, in both directions.</summary>
public sealed partial class OpenApiTests : IDisposable
{
    private static readonly string[] s_methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];

    private readonly Served _served = new();

    public void Dispose() => _served.Dispose();

    [Fact]
    public void It_lists_what_is_served_and_nothing_else()
    {
        string[] described = [.. Paths().SelectMany(path => path.Value.EnumerateObject().Where(member => member.Name != "parameters").Select(member => $"{member.Name.ToUpperInvariant()} {path.Name}"))];

        Assert.Equal(_served.Routes.Order(), described.Order());
    }

    [Fact]
    public void What_it_does_not_list_is_not_served()
    {
        foreach (JsonProperty path in Paths())
        {
            foreach (string method in s_methods.Where(method => !path.Value.TryGetProperty(method.ToLowerInvariant(), out _)))
            {
                _served.Ask(method, path.Name.Replace("{name}", "desk", StringComparison.Ordinal)).IsProblem(405, $"{method} can't be done there");
            }
        }
    }

    [Fact]
    public void Its_schemas_have_the_members_that_are_sent()
    {
        _ = _served.Make("desk", owner: 7);
        _served.Bus.Attach("desk", 9);
        _served.Bus.Work("desk", gpu: TimeSpan.FromSeconds(1), throttled: TimeSpan.FromSeconds(1));
        JsonElement desk = _served.Ask("PATCH", "/v1/instances/desk", """{"mode":"800x600"}""").Ok();

        AssertMembers("Instance", desk, "problem");
        AssertMembers("Parent", _served.Ask("GET", "/v1/types").Ok()[0]);
        AssertMembers("Type", _served.Ask("GET", "/v1/types").Ok()[0].GetProperty("types")[0]);
        AssertMembers("Event", _served.Ask("GET", "/v1/events").Ok()[0]);
        AssertMembers("Problem", _served.Ask("GET", "/v1/instances/absent").Ok(404));
        AssertMembers("Owner", desk.GetProperty("owner"));
        JsonElement members = Schema("Instance").GetProperty("properties");
        Assert.Equal(Names(members.GetProperty("worker").GetProperty("properties")), Names(desk.GetProperty("worker")));
        Assert.Equal(Names(members.GetProperty("paths").GetProperty("properties")), Names(desk.GetProperty("paths")));
    }

    [Fact]
    public void Every_member_of_its_create_request_is_taken()
    {
        var values = new Dictionary<string, string>
        {
            ["string"] = "\"bochs-16m\"",
            ["boolean"] = "false",
            ["array"] = "[]",
            ["object"] = "{}",
        };
        string Value(JsonProperty member) => member.Name switch
        {
            "parent" => "\"software0\"",
            "uuid" => "\"11111111-2222-3333-4444-555555555555\"",
            "owner" => """{"uid":7,"gid":7}""",
            _ => values[member.Value.GetProperty("type").GetString()!],
        };
        IEnumerable<string> members = Schema("Create").GetProperty("properties").EnumerateObject().Select(member => $"\"{member.Name}\":{Value(member)}");

        AssertMembers("Instance", _served.Ask("POST", "/v1/instances", $"{{{string.Join(',', members)}}}").Ok(201), "problem", "paths", "worker");
    }

    [Fact]
    public void Its_references_lead_somewhere()
    {
        string text = _served.Ask("GET", "/v1/openapi.json").Body;

        Assert.All(Reference().Matches(text), match => Assert.Equal(JsonValueKind.Object, Schema(match.Groups[1].Value).ValueKind));
    }

    private static string[] Names(JsonElement members) => [.. members.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal)];

    private void AssertMembers(string schema, JsonElement sent, params string[] absent) =>
        Assert.Equal(Names(Schema(schema).GetProperty("properties")).Except(absent), Names(sent));

    private JsonElement Schema(string name) => _served.Ask("GET", "/v1/openapi.json").Ok().GetProperty("components").GetProperty("schemas").GetProperty(name);

    private JsonElement.ObjectEnumerator Paths() => _served.Ask("GET", "/v1/openapi.json").Ok().GetProperty("paths").EnumerateObject();

    [GeneratedRegex("\"#/components/schemas/(.*?)\"")]
    private static partial Regex Reference();
}
