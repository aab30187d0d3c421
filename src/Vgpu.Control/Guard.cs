using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Vgpu.Bus;

namespace Vgpu.Control;

/// <summary>
/// Stands before every route: who may go on by which door, and how whatever goes wrong behind it is answered.
/// </summary>
internal sealed partial class Guard(ILogger log, byte[]? metricsToken)
{
    internal async Task Invoke(HttpContext context, RequestDelegate next)
    {
        try
        {
            if (Refusal(context) is (int status, string line))
            {
                await Answers.Problem(context, status, line, status == StatusCodes.Status403Forbidden ? BusError.Forbidden : null);
                return;
            }

            await next(context);
            if (!context.Response.HasStarted && context.Response is { StatusCode: >= 400, ContentLength: null })
            {
                await Answers.Problem(context, context.Response.StatusCode, context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed
                    ? $"{context.Request.Method} can't be done there; GET /v1/openapi.json says what can"
                    : "there is no such route; GET /v1/openapi.json lists them");
            }
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            await Explain(context, e);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException || context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone, or was too slow.
        }
    }

    // Null where nothing is in the way.
    private (int Status, string Line)? Refusal(HttpContext context)
    {
        Caller caller = context.Features.GetRequiredFeature<Caller>();
        bool writes = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method);
        switch (caller.Door)
        {
            case Door.ReadOnly when writes:
                return (StatusCodes.Status403Forbidden, "this socket only shows; ask vgpud.sock, as root or a member of the group vgpu");
            case Door.Metrics when context.Request.Path != "/metrics":
                return (StatusCodes.Status404NotFound, "only /metrics is here; the rest is on the daemon's Unix sockets");
            case Door.Metrics when metricsToken is not null && !HasToken(context.Request):
                context.Response.Headers.WWWAuthenticate = "Bearer";
                return (StatusCodes.Status401Unauthorized, "give the token of --metrics-token in the header: Authorization: Bearer TOKEN");
            default:
                return null;
        }
    }

    private bool HasToken(HttpRequest request) =>
        request.Headers.Authorization is [string header]
        && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header)), SHA256.HashData([.. "Bearer "u8, .. metricsToken!]));

    private Task Explain(HttpContext context, Exception exception)
    {
        switch (exception)
        {
            case BusException e:
                return Answers.Problem(context, Answers.StatusOf(e.Error), e.Message, e.Error);
            case JsonException e:
                return Answers.Problem(context, StatusCodes.Status400BadRequest, $"the body is not what this takes: {e.Message}", BusError.Invalid);
            case BadHttpRequestException e:
                return Answers.Problem(context, e.StatusCode, e.StatusCode == StatusCodes.Status413PayloadTooLarge
                    ? $"the body is too large; {ControlServer.MostBodyBytes >> 10} KiB is the most"
                    : e.Message);
            default:
                LogFailure(log, context.Request.Method, context.Request.Path, exception);
                return Answers.Problem(context, StatusCodes.Status500InternalServerError, "the daemon failed at this; its log says why", BusError.Failed);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
    private static partial void LogFailure(ILogger log, string method, string path, Exception exception);
}
