using System.Text;
using System.Text.Json;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>What came back.</summary>
public sealed record Answer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string Header(string name) => Headers.TryGetValue(name, out string? value) ? value : throw new KeyNotFoundException($"{name} is not in {Status}: {Text}");

    /// <summary>Asserts a status and gives the answer.</summary>
    public Answer Is(int status)
    {
        Assert.True(Status == status, $"{Status}: {Text}");
        return this;
    }

    /// <summary>Asserts a problem document of one line with this in it.</summary>
    public void IsProblem(int status, string text)
    {
        _ = Is(status);
        Assert.Equal("application/problem+json", Header("Content-Type"));
        string detail = Json.GetProperty("detail").GetString()!;
        Assert.Contains(text, detail, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', detail);
    }
}
