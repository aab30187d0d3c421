using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Vgpu.Viewers.Web;

/// <summary>
/// The page's files, and noVNC's where the build had them: all lie in this assembly, so that no path leads out of them.
/// Answers whether a browser's copy is the same, and compresses what is text.
/// </summary>
internal sealed class Assets
{
    private const string Page = "page/";
    private const string NoVnc = "novnc/";
    private const string Day = "max-age=86400";

    // What is asked for with another name than the file's.
    private static readonly Dictionary<string, string> s_shells = new(StringComparer.Ordinal) { ["/"] = "index.html", ["/console"] = "console.html" };

    private readonly Dictionary<string, Asset> _byPath = new(StringComparer.Ordinal);

    internal Assets(Assembly assembly)
    {
        Dictionary<string, byte[]> files = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Page, StringComparison.Ordinal) || name.StartsWith(NoVnc, StringComparison.Ordinal))
            .ToDictionary(name => name, name => Read(assembly, name), StringComparer.Ordinal);
        foreach ((string name, byte[] bytes) in files.Where(file => file.Key.StartsWith(Page, StringComparison.Ordinal)))
        {
            _byPath["/" + name[Page.Length..]] = new Asset(bytes, TypeOf(name), "no-cache");
        }

        foreach ((string path, string file) in s_shells)
        {
            _byPath[path] = _byPath["/" + file];
            _ = _byPath.Remove("/" + file);
        }

        if (!files.ContainsKey(NoVnc + "core/rfb.js"))
        {
            return;
        }

        // Modules name each other by relative paths: one hash in the path of all says which noVNC this is.
        string era = Convert.ToHexStringLower(SHA256.HashData([.. files.Where(file => file.Key.StartsWith(NoVnc, StringComparison.Ordinal))
            .OrderBy(file => file.Key, StringComparer.Ordinal).SelectMany(file => SHA256.HashData(file.Value))]))[..16];
        foreach ((string name, byte[] bytes) in files.Where(file => file.Key.StartsWith(NoVnc, StringComparison.Ordinal)))
        {
            _byPath[$"/novnc-{era}/{name[NoVnc.Length..]}"] = new Asset(bytes, TypeOf(name), Day);
        }

        NoVncFolder = $"/novnc-{era}";
    }

    /// <summary>Where noVNC's files are; null where the build had none.</summary>
    internal string? NoVncFolder { get; }

    internal bool Has(string path) => _byPath.ContainsKey(path);

    /// <summary>Null where nothing has that path.</summary>
    internal Task? Answer(HttpContext context)
    {
        if (!_byPath.TryGetValue(context.Request.Path.Value ?? string.Empty, out Asset? asset))
        {
            return null;
        }

        HttpResponse response = context.Response;
        response.Headers.ETag = asset.ETag;
        response.Headers.CacheControl = asset.Caching;
        response.Headers.Vary = "Accept-Encoding";
        if (context.Request.Headers.IfNoneMatch.Contains(asset.ETag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        byte[] body = asset.Bytes;
        if (asset.Packed is not null && context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            response.Headers.ContentEncoding = "gzip";
            body = asset.Packed;
        }

        response.ContentType = asset.Type;
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".json" => "application/json",
        _ => "text/plain; charset=utf-8",
    };

    private static byte[] Read(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private sealed class Asset
    {
        internal Asset(byte[] bytes, string type, string caching)
        {
            (Bytes, Type, Caching) = (bytes, type, caching);
            ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..32]}\"";
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            {
                gzip.Write(bytes);
            }

            Packed = packed.Length < bytes.Length ? packed.ToArray() : null;
        }

        internal byte[] Bytes { get; }

        internal byte[]? Packed { get; }

        internal string Type { get; }

        internal string ETag { get; }

        internal string Caching { get; }
    }
}
