using System.Buffers.Binary;
using System.Globalization;
using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>What a program in the guest reads from an input device's evdev node, from here on, until disposed.</summary>
public sealed class EvdevRecord : IDisposable
{
    // struct input_event on x86-64: two words of time, then type, code and value.
    private const int EventLength = 24;
    private readonly GuestShell _shell;
    private readonly string _file;
    private readonly string _reader;

    /// <summary>Returns once the node is open.</summary>
    public EvdevRecord(GuestShell shell, string node)
    {
        _shell = shell;
        _file = $"/tmp/{node}.read";
        _reader = shell.Run(
            $"cat /dev/input/{node} >{_file} & while ! ls -l /proc/$!/fd 2>/dev/null | grep -q /dev/input/{node}; do sleep 0.05; done; echo $!");
    }

    /// <summary>The node of the guest's input device of this name.</summary>
    public static string NodeOf(GuestShell shell, string name) =>
        shell.Run($"for e in /sys/class/input/event*; do [ \"$(cat $e/device/name)\" = '{name}' ] && echo ${{e##*/}}; done; true").Trim();

    /// <summary>The first events, so many, waited for, as <c>type.code=value</c>.</summary>
    public string Take(int count)
    {
        string dump = _shell.Run(
            string.Create(CultureInfo.InvariantCulture, $"while [ $(stat -c %s {_file}) -lt {count * EventLength} ]; do sleep 0.05; done; ")
            + $"hexdump -v -e '{EventLength}/1 \"%02x\" \"\\n\"' {_file}");
        return string.Join(' ', dump.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Text));
    }

    public void Dispose() => _shell.Run($"kill {_reader}; wait {_reader}; rm {_file}");

    private static string Text(string line)
    {
        ReadOnlySpan<byte> happened = Convert.FromHexString(line).AsSpan(16);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{BinaryPrimitives.ReadUInt16LittleEndian(happened):x}.{BinaryPrimitives.ReadUInt16LittleEndian(happened[2..]):x}={BinaryPrimitives.ReadInt32LittleEndian(happened[4..])}");
    }
}
