using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Vgpu.Viewers.Web;

/// <summary>
/// Stands before everything: by which name we may be asked, from which pages, and how whatever goes wrong behind it is
/// answered. Who asks is <see cref="Door"/>'s.
/// </summary>
internal sealed partial class Guard(IReadOnlyList<string> hostNames, ILogger log)
{
    // noVNC decodes JPEG and shows cursors through data: URLs; nothing else comes from anywhere but here.
    private const string Policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    private readonly HashSet<string> _names = new([.. hostNames, "localhost"], StringComparer.OrdinalIgnoreCase);

    internal async Task Invoke(HttpContext context, RequestDelegate next)
    {
        Harden(context.Response.Headers);
        try
        {
            if (Refusal(context.Request) is (int status, string line))
            {
                await Answers.Problem(context, status, line);
                return;
            }

            await next(context);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await Answers.Problem(context, e.StatusCode, e.Message);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested || e is OperationCanceledException or IOException)
        {
            // The browser is gone, or we stop.
        }
        catch (Exception e)
        {
            LogFailure(log, context.Request.Method, context.Request.Path, e);
            if (!context.Response.HasStarted)
            {
                await Answers.Problem(context, StatusCodes.Status500InternalServerError, "the console failed at this; its log says why");
            }
        }
    }

    private static void Harden(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()";
    }

    // Null where nothing is in the way.
    private (int Status, string Line)? Refusal(HttpRequest request)
    {
        if (!IsOurs(request.Host))
        {
            return (StatusCodes.Status421MisdirectedRequest, "this console does not go by that name; ask by address, or start it with the name (--host-name)");
        }

        bool changes = !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method);
        // What a browser says of itself: another page's request never comes from us, and only the address bar may open a page from elsewhere.
        bool isFetch = changes || request.HttpContext.WebSockets.IsWebSocketRequest || request.Path.StartsWithSegments("/api") || request.Query.ContainsKey(Door.TokenKey);
        bool isCross = request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site";
        if ((isFetch && isCross) || (request.Headers.TryGetValue(HeaderNames.Origin, out var origin) && origin != OwnOrigin(request)))
        {
            return (StatusCodes.Status403Forbidden, "the request comes from another site's page");
        }

        // A cookie goes along with whatever a page asks; that it is our page only the browser can say.
        bool mustSay = changes || request.HttpContext.WebSockets.IsWebSocketRequest;
        return mustSay && request.Headers.Authorization.Count == 0 && !request.Headers.ContainsKey(HeaderNames.Origin)
            ? (StatusCodes.Status403Forbidden, "a request with a cookie must say its Origin; programs give Authorization: Bearer TOKEN instead")
            : null;
    }

    private bool IsOurs(HostString host)
    {
        if (!host.HasValue)
        {
            return false;
        }

        string name = host.Host;
        return _names.Contains(name) || IPAddress.TryParse(name.Trim('[', ']'), out _);
    }

    private static string OwnOrigin(HttpRequest request) => $"{request.Scheme}://{request.Host.Value}";

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
    private static partial void LogFailure(ILogger log, string method, string path, Exception exception);
}
