using Vgpu.Screens;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vendors.VirtioInput.Tests;

/// <summary>What somebody might do at a device of a kind, all of it valid.</summary>
internal static class RandomInput
{
    internal static InputEvent Next(Random random, VirtioInputKind kind)
    {
        int x = random.Next(InputEvent.MaxPlace + 1);
        int y = random.Next(InputEvent.MaxPlace + 1);
        bool isDown = random.Next(2) == 0;
        return (kind, random.Next(3)) switch
        {
            (VirtioInputKind.Keyboard, _) => InputEvent.Key((ushort)random.Next(1, 84), isDown),
            (VirtioInputKind.Touch, _) => new InputEvent(InputKind.Touch, 0, (ushort)random.Next(InputEvent.MaxSlots), isDown ? 1 : 0, x, y),
            (_, 0) => new InputEvent(InputKind.Pointer, 0, 0, 0, x, y),
            (_, 1) => InputEvent.Scroll(random.Next(-200, 200), random.Next(-200, 200)),
            _ => InputEvent.Button((ushort)random.Next(BTN_LEFT, BTN_TASK + 1), isDown),
        };
    }
}
