// Resources as saved state: what they are, their backings as guest addresses, and the pixels that are the host's (not in a
// checkpoint: those that have a backing come from there again).
using System.Buffers;
using System.Runtime.InteropServices;
using Vgpu.Gpus;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;
using Vgpu.Vfio.Migration;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// Saves and loads resources. A load checks what the commands check, charges before it makes anything, and resolves no
/// guest address: the first use does. What it has made when it throws is in the table. Device lock held.
/// </summary>
internal sealed class ResourceState(ResourceTable resources, IRenderer renderer, Rendering? rendering, Type2 iommu)
{
    private const uint Picture = 1;
    private const uint Blob = 2;
    private const uint Rendered = 3;

    private const int PiecePixels = 1 << 18;
    private const int EntriesAtOnce = 256;

    /// <summary>Bytes of a checkpoint at most that resources take which cost so much: an entry takes the most for its cost.</summary>
    internal static long MaxCheckpointLength(ulong cost) =>
        (long)Math.Min(cost / (VideoMemory.EntryCost / (ulong)Marshal.SizeOf<SavedEntry>()), long.MaxValue / 4);

    internal static void Save(GpuResource resource, StateWriter state)
    {
        var saved = new SavedResource
        {
            Id = resource.Id,
            Uuid = resource.Uuid ?? Guid.Empty,
            BackingEntries = BackingOf(resource) is null ? 0 : VideoMemory.EntriesOf(resource.BackingCost),
            Entries = BackingOf(resource) is { } backing ? (uint)backing.EntryCount : 0,
        };
        if (resource is Resource2D picture)
        {
            saved.Kind = Picture;
            saved.Format = (uint)picture.Host.Format;
            saved.Width = (uint)picture.Host.Width;
            saved.Height = (uint)picture.Host.Height;
        }
        else if (resource is Resource3D { Description: var description })
        {
            saved.Kind = Rendered;
            saved.Format = description.Format;
            saved.Width = description.Width;
            saved.Height = description.Height;
        }
        else
        {
            saved.Kind = Blob;
            saved.Size = ((GuestBlob)resource).Size;
        }

        state.Write(saved);
        if (resource is Resource3D rendered)
        {
            state.Write(SavedRendered.Of(rendered.Description));
        }

        if (BackingOf(resource) is { } list)
        {
            SaveEntries(list, state);
        }

        if (resource is Resource2D shown && !state.IsCheckpoint)
        {
            SavePixels(shown.Host, state);
        }
    }

    internal void Load(StateReader state)
    {
        SavedResource saved = state.Read<SavedResource>();
        StateReader.Require(saved.Id != 0 && !resources.Contains(saved.Id) && !resources.IsFull, "the id of a resource");
        GpuResource resource = saved.Kind switch
        {
            Picture => MakePicture(saved, state),
            Blob => MakeBlob(saved),
            Rendered => MakeRendered(saved, state),
            _ => throw new InvalidDataException("the kind of a resource"),
        };
        resource.Uuid = saved.Uuid == Guid.Empty ? null : saved.Uuid;
        resources.Add(resource);
        LoadBacking(resource, saved, state);
        if (resource is Resource2D picture && !state.IsCheckpoint)
        {
            LoadPixels(picture.Host, state);
        }
    }

    // A command that is not done is done anew by a successor.
    private static DmaScatterList? BackingOf(GpuResource resource) => resource is Resource3D { IsBackingProvisional: true } ? null : resource.Backing;

    // What the renderer had of it is gone: it is made again, and has what its backing holds.
    private Resource3D MakeRendered(in SavedResource saved, StateReader state)
    {
        StateReader.Require(rendering is not null && state.IsCheckpoint && saved.Size == 0, "a resource that no renderer has");
        RendererResource3D description = state.Read<SavedRendered>().Describe(saved.Format, saved.Width, saved.Height);
        ulong cost = VideoMemory.CostOf(RendererFormat.BytesOf(description));
        Charge(cost);
        RendererDue due = RendererDue.Create | RendererDue.Show | (saved.BackingEntries == 0 ? RendererDue.None : RendererDue.Back | RendererDue.Fill);
        var made = new Resource3D(saved.Id, cost, description) { Due = due };
        rendering!.Await(made);
        return made;
    }

    private Resource2D MakePicture(in SavedResource saved, StateReader state)
    {
        StateReader.Require(
            GuestFormat.TryParse(saved.Format, out PixelFormat format) && saved.Width is > 0 and <= int.MaxValue / BytesPerPixel
            && saved.Height is > 0 and <= int.MaxValue && saved.Size == 0, "the shape of a resource");

        // Below 2^62.
        ulong bytes = (ulong)saved.Width * saved.Height * BytesPerPixel;
        StateReader.Require(state.IsCheckpoint || bytes <= (ulong)state.Left, "the pixels of a resource are not there");
        ulong cost = VideoMemory.CostOf(bytes);
        Charge(cost);
        if (renderer.CreateResource2D(format, (int)saved.Width, (int)saved.Height) is { } host)
        {
            return new Resource2D(saved.Id, cost, host);
        }

        resources.Memory.Release(cost);
        throw new InvalidDataException("the host has no memory for a resource");
    }

    private GuestBlob MakeBlob(in SavedResource saved)
    {
        StateReader.Require(saved.Size != 0 && (saved.Format | saved.Width | saved.Height) == 0, "the shape of a blob");
        ulong cost = VideoMemory.CostOf(0);
        Charge(cost);
        return new GuestBlob(saved.Id, cost, saved.Size);
    }

    private void LoadBacking(GpuResource resource, in SavedResource saved, StateReader state)
    {
        uint count = saved.BackingEntries;
        StateReader.Require(
            count <= MaxBackingEntries && saved.Entries <= count && (saved.Entries == 0) == (count == 0)
            && saved.Entries * (long)Marshal.SizeOf<SavedEntry>() <= state.Left, "the number of a backing's entries");
        if (count == 0)
        {
            return;
        }

        ulong cost = VideoMemory.CostOfBacking(count);
        Charge(cost);
        resource.BackingCost = cost;
        DmaEntry[] entries = ArrayPool<DmaEntry>.Shared.Rent((int)saved.Entries);
        try
        {
            Span<DmaEntry> read = entries.AsSpan(0, (int)saved.Entries);
            foreach (ref DmaEntry entry in read)
            {
                SavedEntry one = state.Read<SavedEntry>();
                StateReader.Require(one.Length != 0 && one.Iova <= ulong.MaxValue - one.Length, "an entry of a backing");
                entry = new DmaEntry(one.Iova, one.Length);
            }

            IommuProtection protection = resource is Resource3D ? Resource3DCommands.Protection : IommuProtection.IOMMU_READ;
            var backing = new DmaScatterList(iommu, read, protection, VideoMemory.MaxRunsOf(count));
            StateReader.Require(resource is not GuestBlob blob || backing.Length >= blob.Size, "a backing that is too small for its blob");
            resource.Backing = backing;
        }
        finally
        {
            ArrayPool<DmaEntry>.Shared.Return(entries);
        }
    }

    private void Charge(ulong cost) => StateReader.Require(resources.Memory.TryCharge(cost), "more than this vGPU's video memory");

    // Many at once: a checkpoint is written at each change of anything, and entries are most of it.
    private static void SaveEntries(DmaScatterList backing, StateWriter state)
    {
        Span<SavedEntry> some = stackalloc SavedEntry[EntriesAtOnce];
        int count = 0;
        foreach (DmaEntry entry in backing.EachEntry())
        {
            if (count == some.Length)
            {
                state.Write(MemoryMarshal.AsBytes(some));
                count = 0;
            }

            some[count++] = new SavedEntry { Iova = entry.Iova, Length = entry.Length };
        }

        state.Write(MemoryMarshal.AsBytes(some[..count]));
    }

    private static void SavePixels(IRendererResource host, StateWriter state)
    {
        byte[] pixels = ArrayPool<byte>.Shared.Rent(PiecePixels * BytesPerPixel);
        foreach (Rect piece in Pieces(host.Width, host.Height))
        {
            Span<byte> part = pixels.AsSpan(0, piece.Width * piece.Height * BytesPerPixel);
            if (!host.ReadPixels(piece, part))
            {
                part.Clear(); // Not for a piece within the resource.
            }

            state.Write(part);
        }

        ArrayPool<byte>.Shared.Return(pixels);
    }

    private static void LoadPixels(IRendererResource host, StateReader state)
    {
        byte[] pixels = ArrayPool<byte>.Shared.Rent(PiecePixels * BytesPerPixel);
        try
        {
            foreach (Rect piece in Pieces(host.Width, host.Height))
            {
                Span<byte> part = pixels.AsSpan(0, piece.Width * piece.Height * BytesPerPixel);
                state.Read(part);
                StateReader.Require(host.WritePixels(piece, part), "pixels that the host does not take");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(pixels);
        }
    }

    // A picture in pieces of bounded size: some of its rows, or a part of one where a row is that long.
    private static IEnumerable<Rect> Pieces(int width, int height)
    {
        int across = Math.Min(width, PiecePixels);
        int down = Math.Max(1, PiecePixels / across);
        for (int y = 0; y < height; y += Math.Min(down, height - y))
        {
            for (int x = 0; x < width; x += Math.Min(across, width - x))
            {
                yield return new Rect(x, y, Math.Min(across, width - x), Math.Min(down, height - y));
            }
        }
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedResource
    {
        internal uint Id;
        internal uint Kind;
        internal uint Format;
        internal uint Width;
        internal uint Height;
        internal ulong Size;
        internal Guid Uuid;

        /// <summary>Entries that the driver gave, which are paid for, and those that are left of them when neighbours are joined.</summary>
        internal uint BackingEntries;
        internal uint Entries;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedRendered
    {
        internal uint Target;
        internal uint Bind;
        internal uint Depth;
        internal uint ArraySize;
        internal uint LastLevel;
        internal uint Samples;
        internal uint Flags;

        internal static SavedRendered Of(in RendererResource3D description) => new()
        {
            Target = description.Target,
            Bind = description.Bind,
            Depth = description.Depth,
            ArraySize = description.ArraySize,
            LastLevel = description.LastLevel,
            Samples = description.Samples,
            Flags = description.Flags,
        };

        internal readonly RendererResource3D Describe(uint format, uint width, uint height) => new()
        {
            Format = format,
            Width = width,
            Height = height,
            Target = Target,
            Bind = Bind,
            Depth = Depth,
            ArraySize = ArraySize,
            LastLevel = LastLevel,
            Samples = Samples,
            Flags = Flags,
        };
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedEntry
    {
        internal ulong Iova;
        internal uint Length;
    }
}
