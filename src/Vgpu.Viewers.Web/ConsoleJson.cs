using System.Text.Json.Serialization;

namespace Vgpu.Viewers.Web;

/// <summary>The page's API as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ListBody))]
[JsonSerializable(typeof(SessionBody))]
[JsonSerializable(typeof(TokenBody))]
[JsonSerializable(typeof(ProblemBody))]
internal sealed partial class ConsoleJson : JsonSerializerContext;

/// <param name="Etag">To be named in the next request, which is then answered once there is anything else to say.</param>
/// <param name="Vgpus">All of them.</param>
internal sealed record ListBody(string Etag, IReadOnlyList<VgpuBody> Vgpus);

/// <summary>A vGPU; memory in bytes, modes such as <c>1920x1080</c>.</summary>
internal sealed record VgpuBody(
    Guid Uuid, string Name, string Type, string State, string? Problem, ulong MemoryUsed, ulong MemoryLimit, IReadOnlyList<string> Modes);

/// <param name="MayType">Whether the token was more than one for viewing.</param>
/// <param name="Novnc">noVNC's folder on this server; null where the build had none.</param>
internal sealed record SessionBody(bool MayType, string? Novnc);

internal sealed record TokenBody(string? Token);

internal sealed record ProblemBody(string Title, int Status, string Detail);
