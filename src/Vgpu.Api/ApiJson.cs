using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Vgpu.Bus;

namespace Vgpu.Api;

/// <summary>How everything on the socket is written and read.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(Instance))]
[JsonSerializable(typeof(IReadOnlyList<Instance>))]
[JsonSerializable(typeof(IReadOnlyList<ParentView>))]
[JsonSerializable(typeof(IReadOnlyList<BusEvent>))]
[JsonSerializable(typeof(CreateBody))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(ViewerAddresses))]
[JsonSerializable(typeof(string))]
internal sealed partial class ApiJsonContext : JsonSerializerContext;

/// <summary>The types of the API as JSON: snake_case, nulls left out.</summary>
public static class ApiJson
{
    // A newer daemon may say more than this client knows; what a client asks for is taken by the word.
    private static readonly ApiJsonContext s_answers = new(new JsonSerializerOptions(ApiJsonContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static readonly ApiJsonContext s_requests = new(new JsonSerializerOptions(ApiJsonContext.Default.Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
        MaxDepth = 8,
    });

    public static JsonTypeInfo<Instance> Instance => s_answers.Instance;

    public static JsonTypeInfo<IReadOnlyList<Instance>> Instances => s_answers.IReadOnlyListInstance;

    public static JsonTypeInfo<IReadOnlyList<ParentView>> Parents => s_answers.IReadOnlyListParentView;

    public static JsonTypeInfo<BusEvent> Event => s_answers.BusEvent;

    public static JsonTypeInfo<IReadOnlyList<BusEvent>> Events => s_answers.IReadOnlyListBusEvent;

    public static JsonTypeInfo<ViewerAddresses> Viewers => s_answers.ViewerAddresses;

    public static JsonTypeInfo<Problem> Problem => s_answers.Problem;

    /// <summary>The body of a POST, at most 8 deep and without members that nobody knows.</summary>
    public static JsonTypeInfo<CreateBody> Create => s_requests.CreateBody;

    /// <summary>The body of a PATCH: settings by name, in the same way.</summary>
    public static JsonTypeInfo<Dictionary<string, JsonElement>> Settings => s_requests.DictionaryStringJsonElement;

    /// <summary>A text, or null, as a value.</summary>
    public static JsonElement ToElement(string? text) => JsonSerializer.SerializeToElement(text, s_answers.String!);
}
