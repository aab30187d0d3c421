// The memory behind a BAR as saved state: the pages that hold anything, in runs.
using Vgpu.Linux;
using Vgpu.Vfio.Migration;

namespace Vgpu.Pci;

internal sealed unsafe partial class MemoryBar
{
    private const int PageSize = 4096;

    // What one copy takes at most; a whole number of pages.
    private const int PieceLength = 1 << 20;

    /// <summary>Bytes of a saved state at most: every other page would be a run of its own.</summary>
    public long MaxStateLength => (long)mapping.Length + ((long)(Pages + 1) * sizeof(PageRun));

    private ulong Pages => mapping.Length / PageSize;

    /// <summary>Writes the pages of <paramref name="file"/>, which is the one that is mapped, that are neither holes nor all zeros.</summary>
    public void SaveState(FileDescriptor file, StateWriter state)
    {
        ulong page = 0;
        while (page < Pages && FileHole.TryFindData(file, page * PageSize, out ulong start, out ulong end))
        {
            page = start / PageSize;
            SavePages(ref page, Math.Min(Pages, (end + PageSize - 1) / PageSize), state);
        }

        state.Write(default(PageRun));
    }

    /// <summary>Takes over the pages of a state; all others are zero then.</summary>
    public void LoadState(FileDescriptor file, StateReader state)
    {
        Clear(file);
        ulong next = 0;
        for (PageRun run = state.Read<PageRun>(); run != default; run = state.Read<PageRun>())
        {
            StateReader.Require(run.Count != 0 && run.First >= next && run.First < Pages && run.Count <= Pages - run.First, "pages beyond the memory of a BAR");
            next = run.First + run.Count;
            for (ulong at = run.First * PageSize; at < next * PageSize; at += PieceLength)
            {
                state.Read(Bytes(at, next * PageSize));
            }
        }
    }

    /// <summary>All zeros.</summary>
    public void Clear(FileDescriptor file)
    {
        try
        {
            FileHole.Punch(file, 0, mapping.Length);
        }
        catch (LinuxException)
        {
            // A file that has no holes.
            for (ulong at = 0; at < mapping.Length; at += PieceLength)
            {
                Bytes(at, mapping.Length).Clear();
            }
        }
    }

    private void SavePages(ref ulong page, ulong end, StateWriter state)
    {
        while (page < end)
        {
            ulong first = page;
            while (page < end && !IsZero(page))
            {
                page++;
            }

            if (page == first)
            {
                page++;
                continue;
            }

            state.Write(new PageRun(first, page - first));
            for (ulong at = first * PageSize; at < page * PageSize; at += PieceLength)
            {
                state.Write(Bytes(at, page * PageSize));
            }
        }
    }

    private bool IsZero(ulong page) => !Bytes(page * PageSize, (page + 1) * PageSize).ContainsAnyExcept((byte)0);

    // Sound: callers stay within the pages of the mapping, which lives as long as this object.
    private Span<byte> Bytes(ulong start, ulong end) => new(mapping.Pointer + start, (int)Math.Min(end - start, PieceLength));

    private readonly record struct PageRun(ulong First, ulong Count);
}
