using Microsoft.Extensions.Logging;
using Vgpu.Bus;
using Vgpu.Gpus;
using Vgpu.Qemu;
using Vgpu.Vendors.VirtioInput;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Cli;

/// <summary>
/// The input devices beside a vGPU: each a function of its own on a domain of its own, for a socket of its own; together the
/// sink of the vGPU's screen.
/// </summary>
internal sealed class InputComposition : IDisposable
{
    private readonly List<Type2> _domains = [];
    private readonly ILogger _log;
    private QmpInput? _qmp;

    internal InputComposition(IEnumerable<VirtioInputKind> kinds, VgpuOptions options, ILogger log)
    {
        _log = NamedLogger.For(log, options.Name);
        Functions = [.. kinds.Select(kind =>
        {
            var domain = new Type2(NamedLogger.For(log, NameOf(options.Name, kind)));
            _domains.Add(domain);
            return VirtioInput.Create(kind, options.Name, domain, log, options.Msix);
        })];
        Sink = new VirtioInputSet(Functions.Select(function => function.Device));
    }

    /// <summary>In the order of their kinds.</summary>
    internal IReadOnlyList<VirtioInputFunction> Functions { get; }

    internal VirtioInputSet Sink { get; }

    /// <summary>What no driver takes is typed into the VM with this QMP socket from now on; null: nowhere. One thread at a time.</summary>
    internal void TypeInto(string? qmp)
    {
        if (_qmp?.SocketPath == qmp)
        {
            return;
        }

        QmpInput? former = _qmp;
        _qmp = qmp is null ? null : new QmpInput(qmp, _log);
        Sink.Fallback = _qmp;
        former?.Dispose();
    }

    /// <summary>What the logs call an input device of a vGPU.</summary>
    internal static string NameOf(string vgpu, VirtioInputKind kind) => $"{vgpu} {VirtioInput.NameOf(kind)}";

    /// <summary>Those that are served beside the vGPU at a socket; on QEMU's own bus, as a port takes one device.</summary>
    internal static IEnumerable<VgpuAttachment> Beside(string socketPath) =>
        Enum.GetValues<VirtioInputKind>().Select(kind => InstanceFunctions.SocketOf(socketPath, VirtioInput.NameOf(kind))).Where(File.Exists).Select(path => new VgpuAttachment(path));

    /// <summary>After the last server of them, and once the screen has another sink or none.</summary>
    public void Dispose()
    {
        TypeInto(null);
        foreach (VirtioInputFunction function in Functions)
        {
            function.Dispose();
        }

        _domains.ForEach(domain => domain.Dispose());
    }
}
