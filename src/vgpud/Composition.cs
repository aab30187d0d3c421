using Microsoft.Extensions.Logging;
using Vgpu.Bus;
using Vgpu.Bus.Workers;
using Vgpu.Cli;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Vendors.VirtioGpu;

namespace Vgpu.Daemon;

/// <summary>The one place that says what the daemon is made of: the bus, its workers' host and its tree.</summary>
internal sealed partial class Composition : IDisposable
{
    private const string Worker = "vgpu.dll";

    private readonly WorkerHost _workers;
    private readonly VgpuBus _bus;
    private BusTree? _tree;

    /// <summary>Opens the bus and takes over what ran before; nothing is started yet. Throws <see cref="BusException"/>.</summary>
    internal Composition(DaemonOptions options, ILogger log)
    {
        IReadOnlyList<IVgpuVendor> vendors = BuiltInVendors.OfThisHost(out string? missing);
        if (missing is not null)
        {
            LogNotOffered(log, VirtioVendor.RenderingType, missing);
        }

        _workers = new WorkerHost(new WorkerHostOptions { RunFolder = options.RunFolder, Command = [Environment.ProcessPath ?? "dotnet", FindWorker(), "worker"], Renders = RendersOnHost }, log);
        try
        {
            _bus = VgpuBus.Open(new BusOptions { StateFolder = options.StateFolder, RunFolder = options.RunFolder }, [Parent.Software(vendors, lacks: missing)], _workers, log);
        }
        catch
        {
            _workers.Dispose();
            throw;
        }
    }

    internal IBus Bus => _bus;

    /// <summary>Mounts the tree, without which all else works, and starts what starts by itself; returns once that is up.</summary>
    internal void Start(DaemonOptions options, ILogger log)
    {
        try
        {
            _tree = BusTree.Mount(_bus, options.TreeFolder, Path.Combine(options.StateFolder, "mdevctl.d"), log);
            LogTree(log, _tree.Path);
        }
        catch (FuseException e)
        {
            LogNoTree(log, e.Message);
        }

        _bus.StartAuto();
    }

    public void Dispose()
    {
        _tree?.Dispose();
        _bus.Dispose();
        _workers.Dispose();
    }

    // Also of a type that this host lacks something for by now: a worker of an earlier daemon may be serving it.
    private static bool RendersOnHost(string type) => BuiltInVendors.All.SelectMany(vendor => vendor.Types).Any(one => one.Name == type && one.Renders);

    private static string FindWorker()
    {
        string here = AppContext.BaseDirectory;
        string[] places = [Path.Combine(here, Worker), Path.GetFullPath(Path.Combine(here, "..", "vgpu", Worker))];
        return places.FirstOrDefault(File.Exists)
            ?? throw new BusException(BusError.Failed, $"there is no {Worker} in {here} to run workers from; install vgpu as a whole, or build it with ./vgpu");
    }

    [LoggerMessage(LogLevel.Information, "the tree is mounted at {Path}")]
    private static partial void LogTree(ILogger log, string path);

    [LoggerMessage(LogLevel.Information, "{Type} is not offered: {Missing}")]
    private static partial void LogNotOffered(ILogger log, string type, string missing);

    [LoggerMessage(LogLevel.Warning, "there is no tree: {Why}")]
    private static partial void LogNoTree(ILogger log, string why);
}
