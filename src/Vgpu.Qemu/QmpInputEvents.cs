// InputEvent of QEMU's qapi/ui.json. Places have the same range as ours, 0 to 0x7fff.
using Vgpu.Screens;

namespace Vgpu.Qemu;

internal static class QmpInputEvents
{
    // One event scrolls so many notches at most.
    private const int MostNotches = 8;
    private const int Notch = 120;
    private const ushort BTN_LEFT = 0x110;
    private static readonly string[] s_buttons = ["left", "right", "middle", "side", "extra"];

    /// <summary>None where QEMU has no such thing.</summary>
    internal static object[] Of(in InputEvent happened)
    {
        bool isDown = happened.Value == 1;
        switch (happened.Kind)
        {
            case InputKind.Key when QemuKeys.NameOf(happened.Code) is string key:
                return [Event("key", ("down", isDown), ("key", new Dictionary<string, object> { ["type"] = "qcode", ["data"] = key }))];
            case InputKind.Button when happened.Code - BTN_LEFT is >= 0 and var number && number < s_buttons.Length:
                return [Button(s_buttons[number], isDown)];
            case InputKind.Pointer:
                return [Event("abs", ("axis", "x"), ("value", happened.X)), Event("abs", ("axis", "y"), ("value", happened.Y))];
            case InputKind.Scroll:
                return [.. Wheel(happened.Y, "wheel-up", "wheel-down"), .. Wheel(happened.X, "wheel-right", "wheel-left")];
            default:
                return [];
        }
    }

    private static IEnumerable<object> Wheel(int turned, string plus, string minus) => Enumerable
        .Repeat(turned > 0 ? plus : minus, Math.Min(MostNotches, Math.Abs(turned) / Notch))
        .SelectMany(button => (object[])[Button(button, true), Button(button, false)]);

    private static Dictionary<string, object> Button(string button, bool isDown) => Event("btn", ("down", isDown), ("button", button));

    private static Dictionary<string, object> Event(string type, params (string Name, object Value)[] data) => new()
    {
        ["type"] = type,
        ["data"] = data.ToDictionary(member => member.Name, member => member.Value),
    };
}
