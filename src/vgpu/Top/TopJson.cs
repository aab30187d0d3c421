using System.Text.Json.Serialization;

namespace Vgpu.Cli;

/// <summary>Rows as JSON: snake_case, what is not known left out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<TopRow>))]
internal sealed partial class TopJson : JsonSerializerContext;
