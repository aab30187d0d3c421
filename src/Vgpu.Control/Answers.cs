using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Control;

/// <summary>What goes back: JSON of the API's types, and problems (RFC 9457).</summary>
internal static class Answers
{
    internal static Task Json<T>(HttpContext context, T value, JsonTypeInfo<T> form, int status = StatusCodes.Status200OK, string mediaType = "application/json")
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, form);
        context.Response.StatusCode = status;
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    internal static Task Problem(HttpContext context, int status, string detail, BusError? error = null)
    {
        var problem = new Problem
        {
            Title = ReasonPhrases.GetReasonPhrase(status),
            Status = status,
            Detail = detail.ReplaceLineEndings(" "),
            Error = error is null ? null : JsonNamingPolicy.SnakeCaseLower.ConvertName(error.Value.ToString()),
        };
        return Json(context, problem, ApiJson.Problem, status, Api.Problem.MediaType);
    }

    internal static int StatusOf(BusError error) => error switch
    {
        BusError.Invalid => StatusCodes.Status400BadRequest,
        BusError.NotFound => StatusCodes.Status404NotFound,
        BusError.Exists or BusError.Busy => StatusCodes.Status409Conflict,
        BusError.Exhausted => StatusCodes.Status507InsufficientStorage,
        BusError.Forbidden => StatusCodes.Status403Forbidden,
        _ => StatusCodes.Status500InternalServerError,
    };
}
