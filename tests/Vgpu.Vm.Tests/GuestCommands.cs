using System.Globalization;
using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>
/// Counts the commands that the guest's own virtio_gpu driver queues, by its tracepoint virtio_gpu_cmd_queue. The driver,
/// not we, chooses between blobs and transfers: this says which.
/// </summary>
public sealed class GuestCommands
{
    public const uint ResourceCreate2D = 0x101;
    public const uint SetScanout = 0x103;
    public const uint ResourceFlush = 0x104;
    public const uint TransferToHost2D = 0x105;
    public const uint ResourceCreateBlob = 0x10c;
    public const uint SetScanoutBlob = 0x10d;
    public const uint UpdateCursor = 0x300;
    public const uint MoveCursor = 0x301;

    private const string Folder = "/sys/kernel/tracing";

    private readonly Dictionary<uint, int> _counts;

    private GuestCommands(Dictionary<uint, int> counts) => _counts = counts;

    /// <summary>How many commands of that type there were.</summary>
    public int this[uint type] => _counts.GetValueOrDefault(type);

    /// <summary>The commands that the driver queues while <paramref name="work"/> runs.</summary>
    public static GuestCommands During(GuestShell shell, Action work)
    {
        shell.Run($"[ -e {Folder}/trace ] || mount -t tracefs tracefs {Folder}; echo >{Folder}/trace; echo 1 >{Folder}/events/virtio_gpu/virtio_gpu_cmd_queue/enable");
        work();
        string lines = shell.Run(
            $"echo 0 >{Folder}/events/virtio_gpu/virtio_gpu_cmd_queue/enable; " +
            $"sed -n 's/.*virtio_gpu_cmd_queue:.* type=0x\\([0-9a-f]*\\).*/\\1/p' {Folder}/trace | sort | uniq -c");
        return new GuestCommands(lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToDictionary(words => uint.Parse(words[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture), words => int.Parse(words[0], CultureInfo.InvariantCulture)));
    }

    public override string ToString() => string.Join(", ", _counts.OrderBy(pair => pair.Key).Select(pair => $"0x{pair.Key:x}: {pair.Value}"));
}
