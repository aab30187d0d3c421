using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Control;

/// <summary>
/// The bus's events to one follower, a line of JSON each. Nothing is queued for it: it is woken, and reads on from what the
/// bus keeps; a follower so slow that the bus has forgotten some gets one line of the kind <c>skipped</c> in their place, and
/// one that does not read at all is dropped by the server's least data rate.
/// </summary>
internal static class EventStream
{
    private const string MediaType = "application/x-ndjson";

    /// <summary>Ends when the client goes or <paramref name="end"/> says so.</summary>
    internal static async Task Follow(HttpContext context, IBus bus, long? after, CancellationToken end)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, end);
        var wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        bus.Happened += Wake;
        try
        {
            long last = bus.Events(0) is [.., BusEvent newest] ? newest.Number : 0;
            // A number of an earlier daemon's, which counted further, is no place to go on from.
            long known = after is null ? last : after > last ? 0 : after.Value;
            context.Response.ContentType = MediaType;
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.Body.FlushAsync(either.Token);
            do
            {
                known = await Write(context.Response, bus.Events(known), known, either.Token);
            }
            while (await wake.Reader.ReadAsync(either.Token));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The daemon stops: the stream ends in order.
        }
        finally
        {
            bus.Happened -= Wake;
        }

        void Wake(BusEvent happened) => wake.Writer.TryWrite(true);
    }

    private static async Task<long> Write(HttpResponse response, IReadOnlyList<BusEvent> events, long known, CancellationToken end)
    {
        foreach (BusEvent happened in events)
        {
            if (happened.Number > known + 1)
            {
                string detail = string.Create(CultureInfo.InvariantCulture, $"{happened.Number - known - 1} event(s) came and were forgotten before this reader took them");
                await WriteLine(response, new BusEvent(happened.Number - 1, happened.Time, "skipped", null, null, detail), end);
            }

            await WriteLine(response, happened, end);
            known = happened.Number;
        }

        await response.Body.FlushAsync(end);
        return known;
    }

    private static ValueTask WriteLine(HttpResponse response, BusEvent happened, CancellationToken end) =>
        response.Body.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(happened, ApiJson.Event), (byte)'\n'], end);
}
