using Vgpu.Linux;
using Vgpu.Testing;

namespace Vgpu.Tree.Tests;

/// <summary>Mounting, and all that ends a mount.</summary>
public sealed class MountTests : IDisposable
{
    private static readonly FuseFolder s_root = new(new Dictionary<string, FuseNode> { ["file"] = new FuseFile(() => "here", null) });

    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("tree");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_unmount_leaves_an_empty_folder()
    {
        using (FuseMount.Mount(Path, s_root))
        {
            Assert.Equal("here\n", File.ReadAllText(System.IO.Path.Combine(Path, "file")));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path));
    }

    [Fact]
    public void An_unmount_waits_for_nobody_who_has_files_open()
    {
        FuseMount mount = FuseMount.Mount(Path, s_root);
        using FileStream open = File.OpenRead(System.IO.Path.Combine(Path, "file"));

        mount.Dispose();

        Assert.Throws<IOException>(() => open.ReadByte());
        using FuseMount next = FuseMount.Mount(Path, s_root);
        Assert.Equal("here\n", File.ReadAllText(System.IO.Path.Combine(Path, "file")));
    }

    [Fact]
    public async Task An_unmount_answers_also_children_that_hold_the_device()
    {
        // Between fork and exec a child has the device and closes, in order, what is close-on-exec: a file of the tree asks
        // for an answer that only the end of the connection can give.
        for (int i = 0; i < 50; i++)
        {
            string path = _folder.File($"tree-{i}");
            FuseMount mount = FuseMount.Mount(path, s_root);
            using FileStream open = File.OpenRead(System.IO.Path.Combine(path, "file"));
            Task<int>[] children = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() => Shell.Run("true").Status))];
            mount.Dispose();
            await Task.WhenAll(children).WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    [Fact]
    public void What_a_killed_daemon_left_is_taken_away_also_while_in_use()
    {
        using var killed = new ServedTree(Path);
        Assert.Equal(ServedTree.Mounted, killed.Said);
        using FileStream open = File.OpenRead(System.IO.Path.Combine(Path, "file"));
        killed.Kill();
        Assert.Throws<IOException>(() => open.ReadByte());
        Assert.Throws<IOException>(() => File.ReadAllText(System.IO.Path.Combine(Path, "file")));

        using FuseMount next = FuseMount.Mount(Path, s_root);

        Assert.Equal("here\n", File.ReadAllText(System.IO.Path.Combine(Path, "file")));
    }

    [Fact]
    public void A_second_mount_in_the_same_place_is_refused()
    {
        using FuseMount first = FuseMount.Mount(Path, s_root);

        var e = Assert.Throws<FuseException>(() => FuseMount.Mount(Path, s_root));

        Assert.Equal($"a tree is mounted at {Path} already; end the process that serves it, or unmount it with: umount -l {Path}", e.Message);
        Assert.Equal("here\n", File.ReadAllText(System.IO.Path.Combine(Path, "file")));
    }

    [Fact]
    public void An_unmount_by_somebody_else_is_survived()
    {
        FuseMount mount = FuseMount.Mount(Path, s_root);
        Assert.Equal(0, Shell.Run("umount", Path).Status);

        mount.Dispose();

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path));
    }

    [Fact]
    public void Where_no_folder_can_be_one_line_says_so()
    {
        File.WriteAllText(Path, "a file");

        var e = Assert.Throws<FuseException>(() => FuseMount.Mount(Path, s_root));

        Assert.StartsWith($"the folder {Path} for the tree can't be made: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_libfuse_one_line_says_what_to_install()
    {
        string hide = "for f in $(ldconfig -p | sed -n 's/.* => \\(.*libfuse3.so.*\\)/\\1/p'); do mount --bind /dev/null $(readlink -f $f); done";
        using var process = new ServedTree(Path, hide);

        Assert.Equal("libfuse3 is missing; install it with: apt install libfuse3-3", process.Said);
    }

    [Fact]
    public void Without_the_device_one_line_says_what_to_load()
    {
        using var process = new ServedTree(Path, "mount -t tmpfs tmpfs /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9");

        Assert.Equal("/dev/fuse is missing; load the kernel's module with: modprobe fuse", process.Said);
    }

    [Fact]
    public void A_kernel_that_refuses_is_quoted()
    {
        using var process = new ServedTree(Path, "mount --bind /dev/null /dev/fuse");

        Assert.Equal($"the tree can't be mounted at {Path}: fuse: mount failed: Invalid argument", process.Said);
    }
}
