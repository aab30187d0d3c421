using System.Globalization;
using System.Numerics;
using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Vendors.VirtioInput;
using static Vgpu.Screens.InputEvent;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vm.Tests;

/// <summary>Keyboard, tablet and touch screen under a stock guest's own driver, beside QEMU's of the same kinds.</summary>
public sealed class InputTests
{
    private const ushort KeyA = 30;
    private const ushort KeyShift = 42;

    // What Linux's virtio_input read of a device's configuration, and of its PCI function.
    private static readonly string[] s_attributes =
    [
        "name", "uniq", "id/bustype", "id/vendor", "id/product", "id/version", "properties", "capabilities/ev", "capabilities/key", "capabilities/rel",
        "capabilities/abs", "capabilities/led", "../../../class", "../../../revision", "../../../subsystem_vendor", "../../../subsystem_device",
    ];

    [Fact]
    public void What_is_done_at_the_screen_arrives_in_the_guest_s_evdev()
    {
        using var vgpu = new ServedVgpu("virtio-gpu", input: [VirtioInputKind.Keyboard, VirtioInputKind.Tablet, VirtioInputKind.Touch]);
        string[] peers = [.. ((string[])["keyboard", "tablet", "multitouch"]).SelectMany(kind => (string[])["-device", $"virtio-{kind}-pci"])];
        using TestMachine machine = TestMachine.BootWith([.. VgpuAttachment.Arguments(512, vgpu.Attachments), .. peers]);
        Dictionary<string, Dictionary<string, string>> devices = Devices(machine.Shell);
        AssertLikePeer(devices, "vgpu keyboard", "QEMU Virtio Keyboard");

        // QEMU announces its whole table of buttons for each: those of wheels, which turn here, and of other kinds of device.
        AssertLikePeer(devices, "vgpu tablet", "QEMU Virtio Tablet", BTN_TOUCH, BTN_GEAR_DOWN, BTN_GEAR_UP);
        AssertLikePeer(devices, "vgpu touch screen", "QEMU Virtio MultiTouch", BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA, BTN_GEAR_DOWN, BTN_GEAR_UP);
        Assert.Equal("2", devices["vgpu touch screen"]["properties"]);

        IInputSink screen = vgpu.Server.Screen.Input!;
        using (var read = new EvdevRecord(machine.Shell, devices["vgpu keyboard"]["node"]))
        {
            screen.Send([Key(KeyShift, true)]);
            screen.Send([Key(KeyA, true)]);
            screen.Send([Key(KeyA, false), Key(KeyShift, false)]);
            Assert.Equal("1.2a=1 0.0=0 1.1e=1 0.0=0 1.1e=0 1.2a=0 0.0=0", read.Take(7));
        }

        using (var read = new EvdevRecord(machine.Shell, devices["vgpu tablet"]["node"]))
        {
            InputEvent first = Pointer(0, 100, 700, 1024, 768);
            InputEvent second = Pointer(0, 1023, 0, 1024, 768);
            screen.Send([first, Button(BTN_LEFT, true)]);
            screen.Send([second]);
            screen.Send([Button(BTN_LEFT, false), Scroll(0, -240)]);
            Assert.Equal(
                $"3.0={first.X} 3.1={first.Y} 1.110=1 0.0=0 3.0={second.X} 3.1={second.Y} 0.0=0 1.110=0 2.b=-240 2.8=-2 0.0=0",
                read.Take(11));
        }

        using (var read = new EvdevRecord(machine.Shell, devices["vgpu touch screen"]["node"]))
        {
            screen.Send([Touch(0, 0, true, 0, 0, 1, 1), Touch(0, 1, true, 0, 0, 2, 2)]);
            screen.Send([Touch(0, 0, false, 0, 0, 1, 1), Touch(0, 1, false, 0, 0, 2, 2)]);
            Assert.Equal(
                "3.39=0 3.35=16384 3.36=16384 3.0=16384 3.1=16384 1.14a=1 3.2f=1 3.39=1 3.35=8192 3.36=8192 0.0=0 "
                + "3.2f=0 3.39=-1 3.0=8192 3.1=8192 3.2f=1 3.39=-1 1.14a=0 0.0=0",
                read.Take(19));
        }

        AssertStormKeepsNothingPressed(machine.Shell, screen, devices["vgpu keyboard"]["node"]);

        // A program in the guest turns a light on: evdev takes it to the device's status queue.
        machine.Shell.Run($"printf '\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\021\\0\\001\\0\\001\\0\\0\\0' >/dev/input/{devices["vgpu keyboard"]["node"]}");
        Eventually.Holds(() => ((VirtioInputSet)screen).Leds.HasFlag(VirtioInputLeds.CapsLock), "caps lock's light is on");
        Assert.Empty(machine.Shell.Complaints());
    }

    // More than a slow guest takes: frames may be lost, but each key that was told as pressed is let go in the end.
    private static void AssertStormKeepsNothingPressed(GuestShell shell, IInputSink screen, string node)
    {
        using var read = new EvdevRecord(shell, node);
        const ushort Last = 57;
        for (int i = 0; i < 2000; i++)
        {
            ushort key = (ushort)(16 + (i / 2 % 10));
            screen.Send([Key(key, i % 2 == 0)]);
        }

        screen.Send([Key(Last, true)]);
        string pressed = shell.Run($"n=0; until evkeys /dev/input/{node} | grep -qw {Last}; do n=$((n+1)); [ $n -lt 600 ] || break; sleep 0.1; done; evkeys /dev/input/{node}", timeoutSeconds: 90);
        Assert.Equal($"pressed {Last}", pressed.Trim());

        // A program that reads more slowly than the kernel fills its buffer is told so, and has to ask as above: before that, it is told of all.
        string[] words = read.Take(1).Split(' ');
        int lost = Array.LastIndexOf(words, "0.3=0");
        for (int key = 16; key < 26; key++)
        {
            int press = Array.LastIndexOf(words, $"1.{key:x}=1");
            Assert.True(press < lost || Array.LastIndexOf(words, $"1.{key:x}=0") >= press, $"key {key} stays pressed: {string.Join(' ', words.TakeLast(80))}");
        }

        screen.Send([Key(Last, false)]);
    }

    // Of the same identity, on the same kind of function; all that the peer can tell, this one can.
    private static void AssertLikePeer(Dictionary<string, Dictionary<string, string>> devices, string name, string peerName, params ushort[] keysApart)
    {
        Assert.Contains(name, devices.Keys);
        Assert.Contains(peerName, devices.Keys);
        Dictionary<string, string> own = devices[name];
        Dictionary<string, string> peer = devices[peerName];
        foreach (string attribute in s_attributes.Where(attribute => attribute.StartsWith("id/", StringComparison.Ordinal) || attribute.StartsWith("../", StringComparison.Ordinal)))
        {
            Assert.True(peer[attribute] == own[attribute], $"{name}, {attribute}: {own[attribute]}, not {peer[attribute]}");
        }

        Assert.Equal("virtio-gpu", own["uniq"]);
        foreach (string attribute in s_attributes.Where(attribute => attribute.StartsWith("capabilities/", StringComparison.Ordinal)))
        {
            BigInteger apart = attribute == "capabilities/key" ? keysApart.Aggregate(BigInteger.Zero, (bits, key) => bits | (BigInteger.One << key)) : BigInteger.Zero;
            BigInteger lacking = Bits(peer[attribute]) & ~(Bits(own[attribute]) | apart);
            Assert.True(lacking.IsZero, $"{name}, {attribute}: {own[attribute]} lacks {lacking:x} of {peer[attribute]}");
        }
    }

    // Words of 64 bits, the highest first, without leading zeros.
    private static BigInteger Bits(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Aggregate(BigInteger.Zero, (bits, word) => (bits << 64) | ulong.Parse(word, NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private static Dictionary<string, Dictionary<string, string>> Devices(GuestShell shell)
    {
        string lines = shell.Run(
            "for e in /sys/class/input/event*; do d=$(readlink -f $e/device); echo node=${e##*/}; "
            + $"for f in {string.Join(' ', s_attributes)}; do echo \"$f=$(cat $d/$f 2>/dev/null)\"; done; done");
        var devices = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        foreach (string device in lines.Split("node=", StringSplitOptions.RemoveEmptyEntries))
        {
            var attributes = $"node={device}".Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
            devices[attributes["name"]] = attributes;
        }

        return devices;
    }
}
