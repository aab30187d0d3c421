using System.Runtime.InteropServices;

namespace Vgpu.Host.Codecs.Interop;

// A library of the host, by the soname whose layouts were checked; absent, or without a function that is needed: null.
internal static class CodecLibrary
{
    internal static T? TryLoad<T>(string name, Func<nint, T> bind)
        where T : class
    {
        if (!NativeLibrary.TryLoad(name, out nint library))
        {
            return null;
        }

        try
        {
            return bind(library);
        }
        catch (EntryPointNotFoundException)
        {
            NativeLibrary.Free(library);
            return null;
        }
    }
}
