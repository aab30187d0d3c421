using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Vgpu.Bus.Settings;
using Vgpu.Gpus.Shares;
using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>
/// The tables by which the vGPUs of each parent take turns on its GPU: made with the first vGPU that renders, handed to each of their
/// workers as a memory file, and so found again by the next daemon. Supervisor's thread, but <see cref="Complete"/>.
/// </summary>
internal sealed class ParentShares(Func<string, bool> renders, ILogger log) : IDisposable
{
    /// <summary>The memory file's name in an <see cref="InstanceRecord"/>.</summary>
    internal const string FileName = ServeRequest.SharesFile;

    // Whoever reads is not the supervisor's thread, and a table is not unmapped under him.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (FileDescriptor File, ShareTable Table)> _tables = new(StringComparer.Ordinal);

    /// <summary>An instance is to run, with another worker or for the first time: it gets its place and its terms. Exhausted.</summary>
    internal void Join(InstanceRecord record)
    {
        InstanceDefinition definition = record.Definition;
        if (!renders(definition.Type))
        {
            return;
        }

        try
        {
            (FileDescriptor file, ShareTable table) = _tables.TryGetValue(definition.Parent, out var found) ? found : Keep(definition.Parent, ShareTable.CreateFile(new ShareOptions()));
            if (!table.TrySet(definition.Uuid, Setting.TermsOf(definition)))
            {
                throw new BusException(BusError.Exhausted, $"{definition.Parent} has {ShareTable.MaxVgpus} vGPUs that render, and no more: stop one of them");
            }

            record.Replace(FileName, file.Duplicate());
        }
        catch (LinuxException e)
        {
            throw new BusException(BusError.Failed, $"no memory for shares of {definition.Parent}: {e.Message}", e);
        }
    }

    /// <summary>The same for one that goes on with another worker: without a share, where it can't have one.</summary>
    internal void Rejoin(InstanceRecord record)
    {
        try
        {
            Join(record);
        }
        catch (BusException)
        {
            record.Remove(FileName);
            log.SharesNotAdopted(record.Definition.Name);
        }
    }

    /// <summary>A worker of an earlier daemon has told of an instance, and with it of the table that all of its parent's workers have.</summary>
    internal void Adopt(InstanceRecord told)
    {
        InstanceDefinition definition = told.Definition;
        if (!renders(definition.Type))
        {
            return;
        }

        try
        {
            FileDescriptor? file = told.Files.GetValueOrDefault(FileName);
            bool isKnown = _tables.TryGetValue(definition.Parent, out (FileDescriptor File, ShareTable Table) kept);
            if (file is not null && !isKnown)
            {
                kept = Keep(definition.Parent, file.Duplicate());
                isKnown = true;
            }

            if (file is null || !IsSame(file, kept.File) || !kept.Table.TrySet(definition.Uuid, Setting.TermsOf(definition)))
            {
                log.SharesNotAdopted(definition.Name);
            }
        }
        catch (Exception e) when (e is InvalidDataException or LinuxException)
        {
            log.SharesNotAdopted(definition.Name);
        }
    }

    /// <summary>Other terms are in force.</summary>
    internal void Change(InstanceDefinition definition) => With(definition, table =>
    {
        if (table.Owners.Contains(definition.Uuid))
        {
            _ = table.TrySet(definition.Uuid, Setting.TermsOf(definition));
        }
    });

    /// <summary>Its worker is gone, and another takes over.</summary>
    internal void Bury(InstanceDefinition definition) => With(definition, table => table.Bury(definition.Uuid, Stopwatch.GetTimestamp()));

    /// <summary>It runs no more, and its worker is gone.</summary>
    internal void Remove(InstanceDefinition definition) => With(definition, table => table.Remove(definition.Uuid, Stopwatch.GetTimestamp()));

    /// <summary>Only these run: whose worker ended while there was no daemon has no place any more.</summary>
    internal void Sweep(Func<Guid, bool> runs)
    {
        foreach ((_, ShareTable table) in _tables.Values)
        {
            foreach (Guid gone in table.Owners.Where(owner => !runs(owner)))
            {
                table.Remove(gone, Stopwatch.GetTimestamp());
            }
        }
    }

    /// <summary>A worker's status with what its vGPU has had of the GPU until now. Any thread.</summary>
    internal WorkerStatus Complete(InstanceDefinition definition, WorkerStatus status)
    {
        lock (_lock)
        {
            return _tables.TryGetValue(definition.Parent, out var kept) && kept.Table.TryRead(definition.Uuid, Stopwatch.GetTimestamp(), out ShareUse use)
                ? status with { GpuNanoseconds = (ulong)Math.Max(0, use.Used), ThrottledNanoseconds = (ulong)Math.Max(0, use.Throttled) }
                : status;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach ((FileDescriptor file, ShareTable table) in _tables.Values)
            {
                table.Dispose();
                file.Dispose();
            }

            _tables.Clear();
        }
    }

    // Takes ownership of the file.
    private (FileDescriptor File, ShareTable Table) Keep(string parent, FileDescriptor file)
    {
        try
        {
            (FileDescriptor, ShareTable) made = (file, new ShareTable(file));
            lock (_lock)
            {
                _tables[parent] = made;
            }

            return made;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void With(InstanceDefinition definition, Action<ShareTable> change)
    {
        if (_tables.TryGetValue(definition.Parent, out var kept))
        {
            change(kept.Table);
        }
    }

    private static bool IsSame(FileDescriptor one, FileDescriptor other) =>
        FileIdentity.TryOf(one, out FileIdentity first) && FileIdentity.TryOf(other, out FileIdentity second) && first.Device == second.Device && first.Inode == second.Inode;
}
