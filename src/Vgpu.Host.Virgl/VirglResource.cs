using System.Runtime.InteropServices;
using Vgpu.Gpus;
using Vgpu.Host.Virgl.Interop;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Host.Virgl;

// A resource as this side knows it: what the guest said of it, and the list of the memory behind it, to which the library keeps a
// pointer. One thread.
internal sealed unsafe class VirglResource(in RendererResource3D description)
{
    internal RendererResource3D Description { get; } = description;

    /// <summary>Null: none.</summary>
    internal IoVec* Vectors { get; private set; }

    internal int VectorCount { get; private set; }

    /// <summary>Bytes of the memory behind it.</summary>
    internal ulong Length { get; private set; }

    /// <summary>False: no memory for the list. Not while there is one.</summary>
    internal bool TrySetBacking(ReadOnlySpan<HostRun> backing)
    {
        IoVec* vectors;
        try
        {
            vectors = (IoVec*)NativeMemory.Alloc((nuint)backing.Length, (nuint)sizeof(IoVec));
        }
        catch (OutOfMemoryException)
        {
            return false;
        }

        Length = 0;
        for (int i = 0; i < backing.Length; i++)
        {
            vectors[i] = new IoVec { Base = (void*)backing[i].Address, Length = (nuint)backing[i].Length };
            Length += backing[i].Length;
        }

        Vectors = vectors;
        VectorCount = backing.Length;
        return true;
    }

    /// <summary>Once the library has let go of the list.</summary>
    internal void FreeBacking()
    {
        NativeMemory.Free(Vectors);
        Vectors = null;
        VectorCount = 0;
        Length = 0;
    }
}
