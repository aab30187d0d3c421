using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Vgpu.Bus;

namespace Vgpu.Api;

/// <summary>
/// The control API's client, over the daemon's Unix socket; one thread at a time. Every member but Dispose throws
/// <see cref="ApiException"/>.
/// </summary>
public sealed class ApiClient : IDisposable
{
    private readonly string _socketPath;
    private readonly HttpClient _http;

    /// <summary>Nothing is connected before the first request.</summary>
    /// <param name="socketPath">The daemon's socket. Where its mode keeps this user out, the read-only one beside it is taken.</param>
    /// <param name="timeout">How long an answer may take to begin; for ever where null.</param>
    public ApiClient(string socketPath, TimeSpan? timeout = null)
    {
        _socketPath = Path.GetFullPath(socketPath);
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(new NetworkStream(Connect(), ownsSocket: true)),
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://vgpud/v1/"), Timeout = timeout ?? Timeout.InfiniteTimeSpan };
    }

    public IReadOnlyList<ParentView> Parents() => Ask(HttpMethod.Get, "types", ApiJson.Parents);

    public IReadOnlyList<Instance> Instances() => Ask(HttpMethod.Get, "instances", ApiJson.Instances);

    public Instance Find(string nameOrUuid) => Ask(HttpMethod.Get, At(nameOrUuid), ApiJson.Instance);

    /// <summary>Where its screen can be seen. Refused with 404 where nobody shows it.</summary>
    public ViewerAddresses Viewers(string nameOrUuid) => Ask(HttpMethod.Get, $"{At(nameOrUuid)}/viewers", ApiJson.Viewers);

    public Instance Create(CreateBody body) => Ask(HttpMethod.Post, "instances", ApiJson.Instance, Body(body, ApiJson.Create));

    /// <summary>A null value goes back to the type's.</summary>
    public Instance Set(string nameOrUuid, IReadOnlyDictionary<string, string?> settings) =>
        Ask(HttpMethod.Patch, At(nameOrUuid), ApiJson.Instance, Body(
            settings.ToDictionary(setting => setting.Key, setting => ApiJson.ToElement(setting.Value), StringComparer.Ordinal),
            ApiJson.Settings));

    public Instance Start(string nameOrUuid) => Ask(HttpMethod.Post, $"{At(nameOrUuid)}/start", ApiJson.Instance);

    public Instance Upgrade(string nameOrUuid) => Ask(HttpMethod.Post, $"{At(nameOrUuid)}/upgrade", ApiJson.Instance);

    /// <summary>A transient instance is gone after it.</summary>
    public void Stop(string nameOrUuid) => Send(HttpMethod.Post, $"{At(nameOrUuid)}/stop").Dispose();

    public void Remove(string nameOrUuid, bool force) => Send(HttpMethod.Delete, $"{At(nameOrUuid)}{(force ? "?force=true" : string.Empty)}").Dispose();

    public IReadOnlyList<BusEvent> Events(long after) => Ask(HttpMethod.Get, $"events?after={after}", ApiJson.Events);

    /// <summary>Events as they happen, until the daemon ends or the caller stops asking.</summary>
    /// <param name="after">The last event that is known already; those that come from now on where null.</param>
    public IEnumerable<BusEvent> Follow(long? after)
    {
        using HttpResponseMessage answer = Send(HttpMethod.Get, after is null ? "events?follow=true" : $"events?follow=true&after={after}");
        using var lines = new StreamReader(answer.Content.ReadAsStream());
        while (ReadLine(lines) is string line)
        {
            yield return JsonSerializer.Deserialize(line, ApiJson.Event)!;
        }
    }

    public void Dispose() => _http.Dispose();

    private static string At(string nameOrUuid) => $"instances/{Uri.EscapeDataString(nameOrUuid)}";

    private static ByteArrayContent Body<T>(T value, JsonTypeInfo<T> form) =>
        new(JsonSerializer.SerializeToUtf8Bytes(value, form)) { Headers = { { "Content-Type", "application/json" } } };

    private static string? ReadLine(StreamReader lines)
    {
        try
        {
            return lines.ReadLine();
        }
        catch (IOException e)
        {
            throw new ApiException(0, "the daemon ended, or this reader was too slow for it; ask again", e);
        }
    }

    private T Ask<T>(HttpMethod method, string path, JsonTypeInfo<T> form, HttpContent? body = null)
    {
        using HttpResponseMessage answer = Send(method, path, body);
        try
        {
            using Stream stream = answer.Content.ReadAsStream();
            return JsonSerializer.Deserialize(stream, form) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new ApiException((int)answer.StatusCode, $"what the daemon at {_socketPath} answers can't be read; is it of another version than this program? ({e.Message})", e);
        }
    }

    private HttpResponseMessage Send(HttpMethod method, string path, HttpContent? body = null)
    {
        HttpResponseMessage answer;
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = body };
            answer = _http.Send(request, HttpCompletionOption.ResponseHeadersRead);
        }
        catch (HttpRequestException e)
        {
            throw e.InnerException as ApiException ?? new ApiException(0, $"the daemon at {_socketPath} broke the conversation off: {e.Message}", e);
        }
        catch (TaskCanceledException e)
        {
            throw new ApiException(0, $"the daemon at {_socketPath} does not answer in time", e);
        }

        using (answer.IsSuccessStatusCode ? null : answer)
        {
            return answer.IsSuccessStatusCode ? answer : throw new ApiException((int)answer.StatusCode, Detail(answer));
        }
    }

    private string Detail(HttpResponseMessage answer)
    {
        try
        {
            using Stream stream = answer.Content.ReadAsStream();
            if (JsonSerializer.Deserialize(stream, ApiJson.Problem)?.Detail is string detail)
            {
                return detail;
            }
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
        }

        return $"the daemon at {_socketPath} answers with status {(int)answer.StatusCode}; is it one?";
    }

    private Socket Connect()
    {
        try
        {
            return ConnectTo(_socketPath);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            string open = Path.Combine(Path.GetDirectoryName(_socketPath)!, DaemonPaths.ReadOnlySocket);
            try
            {
                return ConnectTo(open);
            }
            catch (SocketException)
            {
                throw new ApiException(0, $"no permission to ask the daemon at {_socketPath}; be a member of the group vgpu, or root", e);
            }
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new ApiException(0, $"no daemon answers at {_socketPath}; start it with 'vgpu daemon', or name another's socket with --socket", e);
        }
    }

    private static Socket ConnectTo(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
