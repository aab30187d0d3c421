using Vgpu.Testing;

namespace Vgpu.Linux.Tests;

public sealed class FolderWatchTests
{
    [Fact]
    public void Changes_that_ended_before_the_question_are_in_its_answer()
    {
        using var folder = new TemporaryFolder();
        string watched = folder.File("watched");
        Directory.CreateDirectory(watched);
        using var watch = new FolderWatch();
        watch.Add(watched);
        watch.Add(watched);
        Assert.Empty(Take(watch));

        string path = Path.Combine(watched, "a name with ä");
        File.WriteAllText(path, "content");
        Assert.Equal([path], Take(watch).Distinct());
        Assert.Empty(Take(watch));

        File.Move(path, path + "2");
        Assert.Equal([path, path + "2"], Take(watch));
        File.Delete(path + "2");
        Assert.Equal([path + "2"], Take(watch).Distinct());
    }

    [Fact]
    public void More_changes_than_the_kernel_keeps_are_a_question_to_look_at_all()
    {
        using var folder = new TemporaryFolder();
        string watched = folder.File("watched");
        Directory.CreateDirectory(watched);
        using var watch = new FolderWatch();
        watch.Add(watched);
        int room = int.Parse(File.ReadAllText("/proc/sys/fs/inotify/max_queued_events"), System.Globalization.CultureInfo.InvariantCulture);
        for (int at = 0; at <= room; at++)
        {
            // Two events of one name that differ don't merge.
            using FileStream file = File.Create(Path.Combine(watched, (at % 8).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        Assert.False(watch.Take([]));
        Assert.Empty(Take(watch));
        Directory.Delete(watched, recursive: true);
        Assert.False(watch.Take([]));
    }

    private static List<string> Take(FolderWatch watch)
    {
        List<string> changed = [];
        Assert.True(watch.Take(changed));
        return changed;
    }
}
