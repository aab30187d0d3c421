using System.Collections.Concurrent;
using System.Text;
using Vgpu.Linux;
using Vgpu.Testing;

namespace Vgpu.Tree.Tests;

/// <summary>Files, folders and links as programs see them, and programs that mean no good.</summary>
public sealed class FuseTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FuseMount _mount;
    private readonly ConcurrentQueue<string> _written = [];
    private readonly SortedDictionary<string, FuseNode> _entries = new(StringComparer.Ordinal);
    private string _text = "first";
    private Func<string, FuseNode?>? _find;

    public FuseTests()
    {
        _entries["text"] = new FuseFile(() => _text, _written.Enqueue);
        _entries["folder"] = new FuseFolder(new Dictionary<string, FuseNode> { ["inner"] = new FuseFile(() => "inner", null) });
        _entries["link"] = new FuseLink("folder/inner");
        _mount = FuseMount.Mount(_folder.File("tree"), new FuseFolder(() => _entries, name => (_find ?? (n => _entries.GetValueOrDefault(n)))(name)));
    }

    public void Dispose()
    {
        _mount.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_file_is_what_sysfs_would_show()
    {
        (int status, string output) = Shell.Run("stat", "-c", "%A %s %U", At("text"), At("folder"), At("link"));
        Assert.Equal((0, "-rw-r--r-- 4096 root\ndrwxr-xr-x 0 root\nlrwxrwxrwx 12 root\n"), (status, output));
        Assert.Equal("first\n", File.ReadAllText(At("text")));
        Assert.Equal("inner\n", File.ReadAllText(At("link")));
        Assert.Equal("folder\nlink\ntext\n", Shell.Run("ls", _mount.Path).Output);
        Assert.Equal(0, Shell.Run("find", _mount.Path).Status);
    }

    [Fact]
    public void A_read_is_of_now_and_whole()
    {
        using FileStream file = new(At("text"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        Assert.Equal('f', file.ReadByte());
        _text = "second";
        Assert.Equal('i', file.ReadByte());
        file.Position = 0;
        Assert.Equal('s', file.ReadByte());
        Assert.Equal("second\n", File.ReadAllText(At("text")));
    }

    [Fact]
    public void A_write_comes_whole_and_once()
    {
        File.WriteAllText(At("text"), "value");
        File.AppendAllText(At("text"), "more\n");
        File.WriteAllText(At("text"), new string('x', FuseFile.MaxWrite));

        Assert.Equal(["value", "more\n", new string('x', FuseFile.MaxWrite)], _written);
    }

    [Theory]
    [InlineData(FuseFile.MaxWrite + 1)]
    [InlineData(1 << 20)]
    public void A_write_that_is_too_long_is_refused_and_reaches_nobody(int length)
    {
        using FileStream file = new(At("text"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);

        Assert.Contains("Invalid argument", Assert.Throws<IOException>(() => file.Write(new byte[length])).Message, StringComparison.Ordinal);
        Assert.Empty(_written);
    }

    [Fact]
    public void Nothing_is_made_moved_or_taken_away()
    {
        foreach (string command in (string[])["touch new", "mkdir new", "ln -s text new", "ln text new", "mv text new", "rm -f text", "rmdir folder", "mkfifo new"])
        {
            (int status, string output) = Shell.Run("sh", "-c", $"cd {_mount.Path} && {command}");
            Assert.NotEqual(0, status);
            Assert.Contains("not permitted", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_has_no_way_for_it_can_be_read_or_written_by_nobody()
    {
        _entries["silent"] = new FuseFile(null, _ => { });

        Assert.Contains("Permission denied", Shell.Run("cat", At("silent")).Output, StringComparison.Ordinal);
        Assert.Equal("Permission denied", MountedTree.Refusal(At("folder/inner"), "x"));
    }

    [Fact]
    public void Whatever_a_tree_throws_is_an_errno_and_no_more()
    {
        _entries["broken"] = new FuseFile(() => throw new InvalidOperationException(), _ => throw new ArgumentException());
        _entries["busy"] = new FuseFile(() => throw new LinuxException("read", Errno.EBUSY), null);
        _find = name => name == "lost" ? throw new InvalidOperationException() : _entries.GetValueOrDefault(name);

        Assert.Contains("Input/output error", Shell.Run("cat", At("broken")).Output, StringComparison.Ordinal);
        Assert.Equal("Input/output error", MountedTree.Refusal(At("broken"), "x"));
        Assert.Contains("resource busy", Shell.Run("cat", At("busy")).Output, StringComparison.Ordinal);
        Assert.Contains("Input/output error", Shell.Run("cat", At("lost")).Output, StringComparison.Ordinal);
        Assert.Equal("first\n", File.ReadAllText(At("text")));
    }

    [Fact]
    public void Names_that_no_file_can_have_are_left_out()
    {
        foreach (string name in (string[])["a/b", "", ".", "..", "x\0y", new string('n', 256), new string('é', 128)])
        {
            _entries[name] = _entries["text"];
        }

        _entries[new string('n', 255)] = _entries["text"];
        Assert.Equal(["folder", "link", new string('n', 255), "text"], Directory.EnumerateFileSystemEntries(_mount.Path).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_large_folder_is_listed_whole_and_once()
    {
        string[] names = [.. Enumerable.Range(0, 20_000).Select(i => $"file-{i}-{new string('x', i % 100)}")];
        var large = names.ToDictionary(name => name, _ => _entries["text"]);
        _entries["large"] = new FuseFolder(large);

        Assert.Equal(names.Order(StringComparer.Ordinal), Directory.EnumerateFileSystemEntries(At("large")).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Readers_that_never_close_leave_nothing_when_they_end()
    {
        FileStream[] open = [.. Enumerable.Range(0, 5000).Select(_ => File.OpenRead(At("folder/inner")))];
        Assert.All(open, file => Assert.Equal('i', file.ReadByte()));
        Assert.Equal("first\n", File.ReadAllText(At("text")));

        Array.ForEach(open, file => file.Dispose());

        // The kernel says so later, but before it asks anything new for long.
        Assert.True(SpinWait.SpinUntil(() => File.Exists(At("link")) && _mount.Held is { Inodes: <= 5, Opened: 0 }, 10_000), $"held: {_mount.Held}");
    }

    [Fact]
    public void Entries_that_came_and_went_leave_a_bounded_number()
    {
        for (int i = 0; i < 10_000; i++)
        {
            _entries[$"passing-{i}"] = _entries["folder"];
            Assert.Equal("inner\n", File.ReadAllText(At($"passing-{i}/inner")));
            _entries.Remove($"passing-{i}");
        }

        Assert.True(SpinWait.SpinUntil(() => _mount.Held is { Inodes: < 3000, Opened: 0 }, 10_000), $"held: {_mount.Held}");
    }

    [Fact]
    public async Task Writes_that_wait_keep_no_reader_waiting()
    {
        using var gate = new ManualResetEventSlim();
        _entries["slow"] = new FuseFile(null, text =>
        {
            gate.Wait();
            _written.Enqueue(text);
        });
        Task[] writers = [.. Enumerable.Range(0, 20).Select(i => Task.Factory.StartNew(
            () => File.WriteAllText(At("slow"), Encoding.UTF8.GetString([(byte)('a' + i)])), TaskCreationOptions.LongRunning))];

        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal("first\n", File.ReadAllText(At("text")));
        }

        Assert.Empty(_written);
        gate.Set();
        await Task.WhenAll(writers);
        Assert.Equal("abcdefghijklmnopqrst", string.Concat(_written.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task An_unmount_ends_writes_first()
    {
        using var begun = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        _entries["slow"] = new FuseFile(null, text =>
        {
            begun.Set();
            gate.Wait();
            _written.Enqueue(text);
        });
        Task writer = Task.Factory.StartNew(() => File.WriteAllText(At("slow"), "last"), TaskCreationOptions.LongRunning);
        begun.Wait();
        Task unmount = Task.Run(_mount.Dispose);
        gate.Set();
        await Task.WhenAll(writer, unmount);

        Assert.Equal(["last"], _written);
    }

    private string At(string name) => Path.Combine(_mount.Path, name);
}
