// The one table of what can be set of an instance; the API, the tree and the command line list it.
using System.Globalization;
using Vgpu.Gpus;
using Vgpu.Gpus.Shares;
using Vgpu.Screens;

namespace Vgpu.Bus.Settings;

/// <summary>A setting of an instance: a key of <see cref="InstanceDefinition.Settings"/> and an attribute of the tree. Immutable.</summary>
public sealed class Setting
{
    private const int MinSide = 64;
    private const ulong MinMemory = 1 << 20;
    private const int LongestValue = 64;

    // sun_path of unix(7), less its NUL.
    private const int LongestPath = 107;

    // In the order of SharePolicy.
    private static readonly string[] s_policies = ["best_effort", "equal_share", "fixed_share"];
    private static readonly VgpuOptions s_defaults = new() { Name = string.Empty };

    private readonly Func<VgpuType, string> _default;
    private readonly Func<string, VgpuType, string?> _parse;
    private readonly Func<VgpuType, string> _range;

    private Setting(string name, string help, Func<VgpuType, string> ofType, Func<string, VgpuType, string?> parse, Func<VgpuType, string> range) =>
        (Name, Help, _default, _parse, _range) = (name, help, ofType, parse, range);

    /// <summary>Bytes of video memory that the guest may use.</summary>
    public static Setting MemoryLimit { get; } = new(
        "memory_limit",
        "bytes of video memory that the guest may use; k, m and g after the number count in 1024s",
        type => Text(type.DefaultVideoMemory),
        (value, _) => ByteSize.TryParse(value, out ulong bytes) && bytes is >= MinMemory and <= long.MaxValue ? Text(bytes) : null,
        _ => "bytes from 1m on, such as 67108864 or 64m");

    /// <summary>The preferred mode of every head.</summary>
    public static Setting Mode { get; } = new(
        "mode",
        "the preferred mode of every head, WIDTHxHEIGHT in pixels",
        _ => Text(s_defaults.Mode),
        (value, type) => ParseMode(value) is { } mode && Suits(mode, Largest(type)) ? Text(mode) : null,
        type => $"WIDTHxHEIGHT from {MinSide}x{MinSide} to {Text(Largest(type))}, such as 1920x1080");

    /// <summary>How many heads the guest sees.</summary>
    public static Setting Heads { get; } = new(
        "heads",
        "how many heads the guest sees",
        _ => Text((ulong)s_defaults.Heads),
        (value, type) => Whole(value) is { } heads && heads >= 1 && heads <= (ulong)type.MaxHeads ? Text(heads) : null,
        type => $"1 to {type.MaxHeads}");

    /// <summary>How the vGPU interrupts.</summary>
    public static Setting Interrupts { get; } = new(
        "interrupts",
        "intx, or msix beside it: faster, but stock QEMU can't unplug such a device",
        _ => s_defaults.Msix ? "msix" : "intx",
        (value, _) => value is "intx" or "msix" ? value : null,
        _ => "intx or msix");

    /// <summary>Resources in the guest's own memory.</summary>
    public static Setting GuestBlobs { get; } = new(
        "guest_blobs",
        "on: the guest may keep pictures in its own memory",
        _ => s_defaults.GuestBlobs ? "on" : "off",
        (value, _) => value is "on" or "off" ? value : null,
        _ => "on or off");

    /// <summary>The VM's QMP socket, through which keys are typed while its guest drives no input device of the vGPU.</summary>
    public static Setting Qmp { get; } = new(
        "qmp",
        "the VM's QMP socket, which takes keys and pointer until its guest has a driver for them; empty: none",
        _ => string.Empty,
        (value, _) => value.Length == 0 || IsPath(value) ? value : null,
        _ => $"an absolute path of {LongestPath} bytes at most without control characters, commas and quotes, such as /run/vm1.qmp, or nothing");

    /// <summary>How the vGPU shares the parent's GPU with the others.</summary>
    public static Setting Policy { get; } = new(
        "policy",
        "how it shares the parent's GPU: best_effort, equal_share, or fixed_share of as many sixteenths as its weight",
        _ => s_policies[0],
        (value, _) => s_policies.Contains(value) ? value : null,
        _ => string.Join(", ", s_policies))
    {
        IsOfRendering = true,
    };

    /// <summary>What the vGPU gets of the parent's GPU, as its policy counts it.</summary>
    public static Setting Weight { get; } = new(
        "weight",
        "sixteenths of the parent's GPU under fixed_share; what it gets beside others under best_effort",
        _ => Text(ShareTerms.MinWeight),
        (value, _) => Whole(value) is >= ShareTerms.MinWeight and <= ShareTerms.MaxWeight and var weight ? Text(weight) : null,
        _ => $"{ShareTerms.MinWeight} to {ShareTerms.MaxWeight}")
    {
        IsOfRendering = true,
    };

    /// <summary>How many frames each head may show in a second.</summary>
    public static Setting FrameLimit { get; } = new(
        "fps_limit",
        "frames that each head may show in a second; 0: as many as there are",
        _ => Text((ulong)s_defaults.FramesPerSecond),
        (value, _) => Whole(value) is <= FrameLimiter.MaxFramesPerSecond and var frames ? Text(frames) : null,
        _ => $"0 to {FrameLimiter.MaxFramesPerSecond}")
    {
        IsOfRendering = true,
    };

    /// <summary>All there are. In this order a definition writes them, so that one by one each suits those before it.</summary>
    public static IReadOnlyList<Setting> All { get; } = [MemoryLimit, Heads, Mode, Interrupts, GuestBlobs, Qmp, Policy, Weight, FrameLimit];

    /// <summary>Those that instances of a type have.</summary>
    public static IEnumerable<Setting> Of(VgpuType type) => All.Where(setting => setting.Suits(type));

    /// <summary>Whether only types have it whose guests render on the host (<see cref="VgpuType.Renders"/>).</summary>
    public bool IsOfRendering { get; private init; }

    /// <summary>As definitions and the tree spell it.</summary>
    public string Name { get; }

    /// <summary>One line for the operator.</summary>
    public string Help { get; }

    /// <summary>Null: none of this name.</summary>
    public static Setting? Find(string name) => All.FirstOrDefault(setting => setting.Name == name);

    /// <summary>What an instance of a type has where the operator says nothing, as <see cref="Canonical"/> writes it.</summary>
    public string Default(VgpuType type) => _default(type);

    /// <summary>The one spelling of a value: bytes without suffix, no spaces. Invalid, with what it may be, where the type can't have it.</summary>
    public string Canonical(string value, VgpuType type) => !Suits(type)
        ? throw new BusException(BusError.Invalid, $"{type.Name} has no {Name}: that is for types whose guests render on the host's GPU")
        : (value.Length <= LongestPath ? _parse(value.Trim(), type) : null)
        ?? throw new BusException(BusError.Invalid, $"{Name} of {type.Name} can't be '{OneLine.Of(value, LongestValue)}': it is {_range(type)}");

    /// <summary>What holds for an instance: its own or its type's.</summary>
    public string Effective(InstanceDefinition definition, VgpuType type) => definition.Settings.GetValueOrDefault(Name) ?? Default(type);

    /// <summary>Checked values in the order of their names. Invalid: one that is not known, or a value that can't be.</summary>
    internal static SortedDictionary<string, string> Checked(IEnumerable<KeyValuePair<string, string>> settings, VgpuType type)
    {
        var known = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string value) in settings)
        {
            Setting setting = Find(name) ?? throw Unknown(name);
            known[setting.Name] = setting.Canonical(value, type);
        }

        return known;
    }

    internal static BusException Unknown(string name) =>
        new(BusError.Invalid, $"there is no setting '{OneLine.Of(name, 64)}': there are {string.Join(", ", All.Select(setting => setting.Name))}");

    /// <summary>What a definition that renders has of its parent's GPU; what is not known there counts as the default.</summary>
    internal static ShareTerms TermsOf(InstanceDefinition definition)
    {
        int policy = Array.IndexOf(s_policies, definition.Settings.GetValueOrDefault(Policy.Name) ?? s_policies[0]);
        ulong weight = Whole(definition.Settings.GetValueOrDefault(Weight.Name) ?? string.Empty) ?? ShareTerms.MinWeight;
        return new ShareTerms(
            policy < 0 ? SharePolicy.BestEffort : (SharePolicy)(policy + (int)SharePolicy.BestEffort),
            (int)Math.Clamp(weight, ShareTerms.MinWeight, ShareTerms.MaxWeight));
    }

    internal static ulong MemoryOf(InstanceDefinition definition, VgpuType type) => ulong.Parse(MemoryLimit.Effective(definition, type), CultureInfo.InvariantCulture);

    internal static ulong HeadsOf(InstanceDefinition definition, VgpuType type) => ulong.Parse(Heads.Effective(definition, type), CultureInfo.InvariantCulture);

    /// <summary>The largest mode of a type.</summary>
    internal static DisplayMode Largest(VgpuType type) => type.MaxMode;

    private bool Suits(VgpuType type) => type.Renders || !IsOfRendering;

    private static bool Suits(DisplayMode mode, DisplayMode largest) =>
        mode.Width >= MinSide && mode.Height >= MinSide && mode.Width <= largest.Width && mode.Height <= largest.Height;

    // QEMU's own arguments are split at commas.
    private static bool IsPath(string value) =>
        value[0] == '/' && System.Text.Encoding.UTF8.GetByteCount(value) <= LongestPath && !value.Any(c => char.IsControl(c) || c is ',' or '\'' or '"');

    private static DisplayMode? ParseMode(string value)
    {
        string[] sides = value.Split('x');
        return sides.Length == 2 && Whole(sides[0]) is <= DisplayMode.MaxSize and var width && Whole(sides[1]) is <= DisplayMode.MaxSize and var height
            ? new DisplayMode((int)width, (int)height)
            : null;
    }

    private static ulong? Whole(string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : null;

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(DisplayMode mode) => string.Create(CultureInfo.InvariantCulture, $"{mode.Width}x{mode.Height}");
}
