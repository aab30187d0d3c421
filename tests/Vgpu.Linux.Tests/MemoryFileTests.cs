using Vgpu.Linux.Interop;

namespace Vgpu.Linux.Tests;

/// <summary>What a descriptor turns out to be, seals and maps.</summary>
public sealed unsafe class MemoryFileTests
{
    private const uint MFD_HUGETLB = 4;

    [Fact]
    public void Memfd_facts()
    {
        using FileDescriptor file = MemFd.Create("facts", 8192);
        FileFacts facts = file.Inspect();

        Assert.True(facts is { IsRegularFile: true, IsMemory: true, IsHugeTlb: false });
        Assert.True(facts is { IsReadable: true, IsWritable: true, IsPathOnly: false });
        Assert.Equal((8192ul, 4096ul, 0ul), (facts.Size, facts.PageSize, facts.AllocatedBytes));
        using (var view = MemoryMapping.Share(file, 4096, 4096, MemoryProtection.ReadWrite))
        {
            view.Span[0] = 1;
        }

        Assert.Equal(4096ul, file.Inspect().AllocatedBytes);
    }

    [Theory]
    [InlineData("/", Libc.O_RDONLY, false, true, false, false)]
    [InlineData("/dev/null", Libc.O_RDWR, false, true, true, false)]
    [InlineData("/dev/null", 1, false, false, true, false)]
    [InlineData("/proc/self/exe", Libc.O_RDONLY, true, true, false, false)]
    [InlineData("/proc/self/exe", Libc.O_PATH, true, false, false, true)]
    public void Facts_of_what_is_not_memory(string path, int flags, bool regular, bool readable, bool writable, bool pathOnly)
    {
        using var file = new FileDescriptor(Libc.Open(path, flags | Libc.O_CLOEXEC, 0));
        FileFacts facts = file.Inspect();

        Assert.Equal(
            (regular, readable, writable, pathOnly),
            (facts.IsRegularFile, facts.IsReadable, facts.IsWritable, facts.IsPathOnly));
        Assert.False(facts.IsHugeTlb);
    }

    [Fact]
    public void Huge_pages_have_their_own_page_size()
    {
        int fd = Libc.MemfdCreate("huge", Libc.MFD_CLOEXEC | MFD_HUGETLB);
        Assert.SkipWhen(fd < 0, "no hugetlbfs in this kernel");
        using var file = new FileDescriptor(fd);
        FileFacts facts = file.Inspect();
        Assert.True(facts is { IsHugeTlb: true, IsMemory: true });
        Assert.True(facts.PageSize > 4096);
    }

    [Fact]
    public void Seals()
    {
        using FileDescriptor file = MemFd.Create("seals", 4096, Linux.Seals.None);
        Assert.Equal(Linux.Seals.None, MemFd.GetSeals(file));
        Assert.True(MemFd.TryAddSeals(file, Linux.Seals.F_SEAL_SHRINK | Linux.Seals.F_SEAL_SEAL));
        Assert.Equal(Linux.Seals.F_SEAL_SHRINK | Linux.Seals.F_SEAL_SEAL, MemFd.GetSeals(file));
        Assert.False(MemFd.TryAddSeals(file, Linux.Seals.F_SEAL_GROW));
        Assert.Equal(Errno.EPERM, Assert.Throws<LinuxException>(() => file.Truncate(0)).Errno);

        using FileDescriptor device = FileDescriptor.OpenRead("/dev/null");
        Assert.False(MemFd.TryAddSeals(device, Linux.Seals.F_SEAL_SHRINK));
        Assert.Equal(Linux.Seals.None, MemFd.GetSeals(device));
    }

    [Fact]
    public void Two_maps_of_a_file_share_it()
    {
        using FileDescriptor file = MemFd.Create("shared", 8192);
        using var first = MemoryMapping.Share(file, 0, 8192, MemoryProtection.ReadWrite);
        using var second = MemoryMapping.Share(file, 4096, 4096, MemoryProtection.Read);
        first.Span[4097] = 9;
        Assert.Equal(9, second.Span[1]);
    }

    [Fact]
    public void A_map_that_can_not_be_says_why()
    {
        using FileDescriptor file = MemFd.Create("refused", 4096);
        using FileDescriptor reader = FileDescriptor.OpenRead($"/proc/self/fd/{file.Number}");
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => MemoryMapping.Share(file, 1, 4096, MemoryProtection.Read)).Errno);
        LinuxException e = Assert.Throws<LinuxException>(() => MemoryMapping.Share(reader, 0, 4096, MemoryProtection.ReadWrite));
        Assert.Equal((Errno.EACCES, "mmap"), (e.Errno, e.Call));
    }

    [Fact]
    public void A_map_is_gone_once_disposed()
    {
        string name = $"gone-{Guid.NewGuid():N}";
        using FileDescriptor file = MemFd.Create(name, 4096);
        var map = MemoryMapping.Share(file, 0, 4096, MemoryProtection.Read);
        Assert.Contains(name, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        map.Dispose();
        map.Dispose();
        Assert.DoesNotContain(name, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        Assert.True(map.Pointer == null);
    }

    [Fact]
    public void A_duplicate_is_the_same_file_and_closes_by_itself()
    {
        using FileDescriptor file = MemFd.Create("twice", 4096);
        FileDescriptor copy = file.Duplicate();
        Assert.Equal(file.Inspect().Identity, copy.Inspect().Identity);
        copy.Dispose();
        Assert.Equal(4096ul, file.Inspect().Size);
    }

    [Fact]
    public void Data_is_found_between_holes()
    {
        const ulong page = 4096;
        using FileDescriptor file = MemFd.Create("holes", 16 * page);
        Assert.False(FileHole.TryFindData(file, 0, out _, out _));
        using var map = MemoryMapping.Share(file, 0, 16 * page, MemoryProtection.ReadWrite);
        map.Pointer[3 * page] = 1;
        map.Pointer[5 * page] = 1;
        map.Pointer[6 * page] = 1;
        Assert.True(FileHole.TryFindData(file, 0, out ulong start, out ulong end));
        Assert.Equal((3 * page, 4 * page), (start, end));
        Assert.True(FileHole.TryFindData(file, end, out start, out end));
        Assert.Equal((5 * page, 7 * page), (start, end));
        Assert.False(FileHole.TryFindData(file, end, out _, out _));
        FileHole.Punch(file, 0, 6 * page);
        Assert.True(FileHole.TryFindData(file, 0, out start, out _));
        Assert.Equal(6 * page, start);
    }

    [Fact]
    public void A_failed_call_names_itself()
    {
        LinuxException e = Assert.Throws<LinuxException>(() => FileDescriptor.OpenRead("/does/not/exist"));
        Assert.Equal(("open", Errno.ENOENT), (e.Call, e.Errno));
        Assert.StartsWith("open /does/not/exist: ", e.Message, StringComparison.Ordinal);
    }
}
