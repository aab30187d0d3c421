using System.Diagnostics;
using Vgpu.Testing;

namespace Vgpu.Linux.Tests;

public sealed class StoredFileTests
{
    [Fact]
    public void A_plain_file_up_to_the_limit_is_read_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("file"), "12345");
        File.CreateSymbolicLink(folder.File("link"), folder.File("file"));
        using (Process fifo = Process.Start("mkfifo", folder.File("fifo")))
        {
            fifo.WaitForExit();
        }

        Assert.Equal("12345"u8.ToArray(), StoredFile.TryRead(folder.File("file"), 5));
        Assert.Null(StoredFile.TryRead(folder.File("file"), 4));
        Assert.Null(StoredFile.TryRead(folder.File("link"), 5));
        Assert.Null(StoredFile.TryRead(folder.File("fifo"), 5));
        Assert.Null(StoredFile.TryRead(folder.File("."), 5));
        Assert.Null(StoredFile.TryRead("/dev/zero", 5));
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => StoredFile.TryRead(folder.File("nothing"), 5)).Errno);
    }

    [Fact]
    public void A_rename_moves_a_link_and_a_folder_as_they_are()
    {
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.File("link"), "/nowhere");
        Directory.CreateDirectory(folder.File("inner"));
        StoredFile.Rename(folder.File("link"), folder.File("inner/link"));
        StoredFile.Rename(folder.File("inner"), folder.File("outer"));
        StoredFile.Sync(folder.File("outer"));

        Assert.Equal("/nowhere", new FileInfo(folder.File("outer/link")).LinkTarget);
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => StoredFile.Rename(folder.File("inner"), folder.File("x"))).Errno);
        Assert.Throws<LinuxException>(() => StoredFile.Sync(folder.File("inner")));
    }
}
