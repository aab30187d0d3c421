// A renderer of plain memory, for what a real one does not do when asked to: to stand still, to be done out of order, to refuse.
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vendors.VirtioGpu.Tests;

/// <summary>
/// Resources are B8G8R8X8 pictures; SUBMIT_3D fills the resource that its first word names with its second. Fences are done when
/// the test says so.
/// </summary>
internal sealed class FakeRenderer3D : IRenderer3D
{
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, Picture> _pictures = [];
    private readonly HashSet<uint> _contexts = [];
    private readonly Queue<RendererFence> _signalled = [];
    private readonly List<RendererFence> _due = [];
    private readonly List<string> _calls = [];
    private readonly ManualResetEventSlim _go = new(true);
    private readonly ManualResetEventSlim _stands = new();
    private Thread? _thread;

    public string Name => "fake";

    public IReadOnlyList<RendererCapset> Capsets { get; } = [new(1, 1, 308), new(2, 2, 1380)];

    public EventFd FencesSignalled { get; } = EventFd.Create();

    public int PollMilliseconds => -1;

    /// <summary>Fences are done as soon as they are made.</summary>
    public bool IsPrompt { get; set; }

    /// <summary>Keeps no list of calls, which would allocate.</summary>
    public bool IsSilent { get; set; }

    /// <summary>What CreateResource and CreateContext answer.</summary>
    public Errno Refusal { get; set; }

    /// <summary>Everything that was called on another thread than the first.</summary>
    public int Strangers { get; private set; }

    /// <summary>What a Submit throws, where not null.</summary>
    public Exception? Failure { get; set; }

    public string? ThreadName => _thread?.Name;

    public bool IsDisposed { get; private set; }

    public string[] Calls
    {
        get
        {
            lock (_lock)
            {
                return [.. _calls];
            }
        }
    }

    /// <summary>Fences that were made and are not done.</summary>
    public RendererFence[] Due
    {
        get
        {
            lock (_lock)
            {
                return [.. _due];
            }
        }
    }

    /// <summary>The next Submit does not come back before <see cref="GoOn"/>.</summary>
    public void StandStill()
    {
        _stands.Reset();
        _go.Reset();
    }

    /// <summary>Waits until a Submit stands.</summary>
    public void AwaitStand() => Assert.True(_stands.Wait(30_000), "Nothing was submitted.");

    public void GoOn() => _go.Set();

    /// <summary>The due fence with this place in their order is done.</summary>
    public void Signal(int index)
    {
        lock (_lock)
        {
            _signalled.Enqueue(_due[index]);
            _due.RemoveAt(index);
        }

        FencesSignalled.Signal();
    }

    /// <summary>Reads all of the memory behind a resource, which ends this process where it is not mapped. While the renderer stands.</summary>
    public bool CanReadBacking(uint resource)
    {
        int sum = 0;
        foreach (HostRun run in _pictures[resource].Backing)
        {
            foreach (byte value in run.Span)
            {
                sum += value;
            }
        }

        return sum >= 0;
    }

    public Errno GetCapset(uint id, uint version, Span<byte> data)
    {
        Note("GetCapset");
        data.Fill((byte)(id + version));
        return Errno.None;
    }

    public Errno CreateContext(uint context, uint capset, ReadOnlySpan<byte> name)
    {
        Note(IsSilent ? string.Empty : $"CreateContext {context} {capset} {System.Text.Encoding.ASCII.GetString(name)}");
        if (Refusal == Errno.None)
        {
            _contexts.Add(context);
        }

        return Refusal;
    }

    public void DestroyContext(uint context)
    {
        Note(IsSilent ? string.Empty : $"DestroyContext {context}");
        _contexts.Remove(context);
    }

    public Errno AttachResource(uint context, uint resource)
    {
        Note(IsSilent ? string.Empty : $"AttachResource {context} {resource}");
        return _pictures.ContainsKey(resource) ? Errno.None : Errno.ENOENT;
    }

    public void DetachResource(uint context, uint resource) => Note(IsSilent ? string.Empty : $"DetachResource {context} {resource}");

    public Errno CreateResource(uint resource, in RendererResource3D description)
    {
        Note(IsSilent ? string.Empty : $"CreateResource {resource}");
        if (Refusal == Errno.None)
        {
            _pictures.Add(resource, new Picture((int)description.Width, new byte[description.Width * description.Height * 4]));
        }

        return Refusal;
    }

    public void DestroyResource(uint resource)
    {
        Note(IsSilent ? string.Empty : $"DestroyResource {resource}");
        _pictures.Remove(resource);
    }

    public Errno AttachBacking(uint resource, ReadOnlySpan<HostRun> backing)
    {
        Note(IsSilent ? string.Empty : $"AttachBacking {resource}");
        if (!_pictures.TryGetValue(resource, out Picture? picture))
        {
            return Errno.ENOENT;
        }

        picture.Backing = backing.ToArray();
        return Errno.None;
    }

    public void DetachBacking(uint resource)
    {
        Note(IsSilent ? string.Empty : $"DetachBacking {resource}");
        if (_pictures.TryGetValue(resource, out Picture? picture))
        {
            picture.Backing = [];
        }
    }

    public Errno Transfer(uint context, uint resource, in RendererTransfer3D transfer)
    {
        Note(IsSilent ? string.Empty : $"Transfer {context} {resource}");
        if (!_pictures.TryGetValue(resource, out Picture? picture) || picture.Backing.Length == 0)
        {
            return Errno.EINVAL;
        }

        for (uint row = 0; row < transfer.Height; row++)
        {
            int at = (int)(((transfer.Y + row) * picture.Width) + transfer.X) * 4;
            Span<byte> pixels = picture.Pixels.AsSpan(at, (int)transfer.Width * 4);
            Copy(picture.Backing, transfer.Offset + (row * (ulong)picture.Width * 4), pixels, transfer.IsFromHost);
        }

        return Errno.None;
    }

    public Errno Submit(uint context, Span<byte> commands)
    {
        Note(IsSilent ? string.Empty : $"Submit {context} {commands.Length}");
        if (Failure is { } failure)
        {
            throw failure;
        }

        _stands.Set();
        _go.Wait();
        if (commands.Length >= 8 && _pictures.TryGetValue(BitConverter.ToUInt32(commands), out Picture? picture))
        {
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(picture.Pixels.AsSpan()).Fill(BitConverter.ToUInt32(commands[4..]));
        }

        return _contexts.Contains(context) ? Errno.None : Errno.ENOENT;
    }

    public Errno CreateFence(in RendererFence fence)
    {
        Note(IsSilent ? string.Empty : $"CreateFence {fence.Context} {fence.Ring}");
        lock (_lock)
        {
            if (IsPrompt)
            {
                _signalled.Enqueue(fence);
            }
            else
            {
                _due.Add(fence);
            }
        }

        return Errno.None;
    }

    public bool TakeSignalled(out RendererFence fence)
    {
        lock (_lock)
        {
            return _signalled.TryDequeue(out fence);
        }
    }

    public Errno ReadPixels(uint resource, Rect rect, Span<byte> destination, int stride)
    {
        Note(IsSilent ? string.Empty : $"ReadPixels {resource} {rect.X} {rect.Y} {rect.Width} {rect.Height}");
        Picture picture = _pictures[resource];
        for (int row = 0; row < rect.Height; row++)
        {
            picture.Pixels.AsSpan((((rect.Y + row) * picture.Width) + rect.X) * 4, rect.Width * 4).CopyTo(destination[(row * stride)..]);
        }

        return Errno.None;
    }

    public void Reset()
    {
        Note("Reset");
        _pictures.Clear();
        _contexts.Clear();
        lock (_lock)
        {
            _due.Clear();
            _signalled.Clear();
        }
    }

    public void Dispose()
    {
        Note("Dispose");
        IsDisposed = true;
        FencesSignalled.Dispose();
    }

    private void Note(string call)
    {
        _thread ??= Thread.CurrentThread;
        Strangers += Thread.CurrentThread == _thread ? 0 : 1;
        if (IsSilent)
        {
            return;
        }

        lock (_lock)
        {
            _calls.Add(call);
        }
    }

    private static void Copy(HostRun[] backing, ulong offset, Span<byte> pixels, bool isToGuest)
    {
        foreach (HostRun run in backing)
        {
            if (pixels.IsEmpty)
            {
                return;
            }

            if (offset >= run.Length)
            {
                offset -= run.Length;
                continue;
            }

            Span<byte> guest = run.Span[(int)offset..];
            int piece = Math.Min(guest.Length, pixels.Length);
            if (isToGuest)
            {
                pixels[..piece].CopyTo(guest);
            }
            else
            {
                guest[..piece].CopyTo(pixels);
            }

            pixels = pixels[piece..];
            offset = 0;
        }
    }

    private sealed class Picture(int width, byte[] pixels)
    {
        public int Width { get; } = width;

        public byte[] Pixels { get; } = pixels;

        public HostRun[] Backing { get; set; } = [];
    }
}
