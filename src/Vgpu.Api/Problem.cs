namespace Vgpu.Api;

/// <summary>Why a request was refused (RFC 9457), in the media type <c>application/problem+json</c>.</summary>
public sealed class Problem
{
    /// <summary>The media type.</summary>
    public const string MediaType = "application/problem+json";

    /// <summary>The status in words.</summary>
    public string? Title { get; set; }

    /// <summary>The HTTP status.</summary>
    public int Status { get; set; }

    /// <summary>One line that says what is wrong and what mends it.</summary>
    public string? Detail { get; set; }

    /// <summary>The <see cref="Bus.BusError"/> in snake_case; null where the bus was not asked.</summary>
    public string? Error { get; set; }
}
