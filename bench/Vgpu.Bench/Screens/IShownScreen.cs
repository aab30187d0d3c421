using System.Net;
using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>A server with a screen of 1920x1080 that is painted here and looked at over RFB. One thread paints.</summary>
internal interface IShownScreen : IDisposable
{
    string Name { get; }

    /// <summary>Where viewers connect.</summary>
    EndPoint Address { get; }

    /// <summary>What they are asked for; null where nothing is.</summary>
    string? Password => null;

    /// <summary>What the screen's source paints into, rows without gaps.</summary>
    Span<uint> Pixels { get; }

    /// <summary>Every process that showing this screen takes.</summary>
    IReadOnlyList<int> Processes { get; }

    /// <summary>Says what was painted; back once the pixels may be painted over.</summary>
    void Show(params ReadOnlySpan<Rect> rects);

    /// <summary>How many keys were pressed since it was last asked; waits for nothing.</summary>
    int TakeKeys();
}
