using System.Globalization;
using System.Security.Cryptography;
using Vgpu.Viewers.Png;

namespace Vgpu.Viewers.Web;

/// <summary>
/// The list's small pictures as PNG, one of each vGPU, made at most once a second however many people look, two at a time.
/// Any thread.
/// </summary>
internal sealed class Thumbnails(IConsoleVgpus vgpus, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(1);

    // Generations begin anew with every process.
    private static readonly string s_era = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    private readonly SemaphoreSlim _turns = new(2);
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Kept> _kept = [];
    private readonly Dictionary<Guid, Task<Kept?>> _making = [];

    /// <summary>Null where nothing is shown.</summary>
    internal Task<Kept?> Get(Guid uuid, CancellationToken end)
    {
        lock (_lock)
        {
            if (Fresh(uuid) is Kept fresh)
            {
                return Task.FromResult<Kept?>(fresh);
            }

            // Whoever comes meanwhile waits for the same one.
            if (!_making.TryGetValue(uuid, out Task<Kept?>? making))
            {
                _making.Add(uuid, making = Task.Run(() => MakeInTurn(uuid), CancellationToken.None));
            }

            return making.WaitAsync(end);
        }
    }

    public void Dispose() => _turns.Dispose();

    // Lock held.
    private Kept? Fresh(Guid uuid) => _kept.TryGetValue(uuid, out Kept? kept) && clock.GetElapsedTime(kept.Taken) < s_least ? kept : null;

    private async Task<Kept?> MakeInTurn(Guid uuid)
    {
        try
        {
            await _turns.WaitAsync();
            try
            {
                return Make(uuid);
            }
            finally
            {
                _ = _turns.Release();
            }
        }
        finally
        {
            lock (_lock)
            {
                _ = _making.Remove(uuid);
            }
        }
    }

    private Kept? Make(Guid uuid)
    {
        Kept? before;
        lock (_lock)
        {
            before = _kept.GetValueOrDefault(uuid);
        }

        ConsoleGlance? glance = vgpus.Glance(uuid, before?.Generation);
        Kept? made = null;
        if (glance is not null)
        {
            made = glance.Picture is null
                ? before is null ? null : before with { Taken = clock.GetTimestamp() }
                : new Kept(glance.Generation, Encode(glance), string.Create(CultureInfo.InvariantCulture, $"\"{s_era}-{glance.Generation:x}\""), clock.GetTimestamp());
        }

        HashSet<Guid> there = [.. vgpus.List().Select(vgpu => vgpu.Uuid)];
        lock (_lock)
        {
            foreach (Guid gone in _kept.Keys.Where(key => !there.Contains(key)).ToArray())
            {
                _ = _kept.Remove(gone);
            }

            if (made is null || !there.Contains(uuid))
            {
                _ = _kept.Remove(uuid);
                return null;
            }

            _kept[uuid] = made;
            return made;
        }
    }

    private static byte[] Encode(ConsoleGlance glance)
    {
        using var file = new MemoryStream();
        PngFile.Write(file, Thumbnail.Of(glance.Picture!));
        return file.ToArray();
    }

    /// <summary>A small picture and when it was taken, by the clock's timestamps.</summary>
    internal sealed record Kept(ulong Generation, byte[] Png, string ETag, long Taken);
}
