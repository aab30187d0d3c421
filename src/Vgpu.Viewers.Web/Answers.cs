using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Vgpu.Viewers.Web;

/// <summary>What goes back: JSON, and problems of one line (RFC 9457).</summary>
internal static class Answers
{
    internal static Task Json<T>(HttpContext context, T value, JsonTypeInfo<T> form, int status = StatusCodes.Status200OK, string mediaType = "application/json") =>
        Bytes(context, JsonSerializer.SerializeToUtf8Bytes(value, form), mediaType, status);

    internal static Task Bytes(HttpContext context, byte[] body, string mediaType, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    internal static Task Problem(HttpContext context, int status, string detail) =>
        Json(context, new ProblemBody(ReasonPhrases.GetReasonPhrase(status), status, detail.ReplaceLineEndings(" ")), ConsoleJson.Default.ProblemBody, status, "application/problem+json");
}
