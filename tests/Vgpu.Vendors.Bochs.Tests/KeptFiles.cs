using Vgpu.Linux;
using Vgpu.Vfio;

namespace Vgpu.Vendors.Bochs.Tests;

// Memory files that outlive a device.
internal sealed class KeptFiles : IMemoryFiles, IDisposable
{
    private readonly Dictionary<string, FileDescriptor> _files = [];

    public FileDescriptor Open(string name, ulong size)
    {
        if (!_files.TryGetValue(name, out FileDescriptor? file))
        {
            file = MemFd.Create(name, size);
            _files.Add(name, file);
        }

        return file.Duplicate();
    }

    public void Dispose()
    {
        foreach (FileDescriptor file in _files.Values)
        {
            file.Dispose();
        }
    }
}
