using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>
/// A program <c>vgpu</c> whose <c>libvirt-hook</c> is done in this process: a script that hands over its arguments and its
/// standard input through named pipes, and ends as it is told. It stands for the command line and the daemon behind it alone.
/// </summary>
public sealed class HookedProgram : IDisposable
{
    private const string Script = """
        #!/bin/sh
        folder=$(dirname "$(readlink -f "$0")")
        { echo "$@"; cat; } >"$folder/question"
        { read -r status; cat >&2; } <"$folder/answer"
        exit "$status"

        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vgpu-hook-");
    private readonly LibvirtHook _hook;
    private readonly Thread _thread;

    public HookedProgram(ILibvirtVgpus vgpus)
    {
        _hook = new LibvirtHook(vgpus, FileOf("claims"));
        File.WriteAllText(Path, Script);
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using (var made = System.Diagnostics.Process.Start("mkfifo", [FileOf("question"), FileOf("answer")]))
        {
            made.WaitForExit();
            Assert.Equal(0, made.ExitCode);
        }

        _thread = new Thread(Answer) { Name = "libvirt's hook", IsBackground = true };
        _thread.Start();
    }

    public string Path => FileOf("vgpu");

    /// <summary>The calls so far, as libvirt made them.</summary>
    public List<string> Calls { get; } = [];

    public void Dispose()
    {
        // A question of nothing ends the thread.
        File.AppendAllText(FileOf("question"), "\n");
        _thread.Join();
        _folder.Delete(recursive: true);
    }

    private string FileOf(string name) => System.IO.Path.Combine(_folder.FullName, name);

    private void Answer()
    {
        while (true)
        {
            string[] question = File.ReadAllText(FileOf("question")).Split('\n', 2);
            if (question[0].Length == 0)
            {
                return;
            }

            string answer = "0\n";
            try
            {
                string[] words = question[0].Split(' ');
                lock (Calls)
                {
                    Calls.Add(string.Join(' ', words[1..4]));
                }

                _hook.Run(words[1], words[2], new StringReader(question[1]));
            }
            catch (Exception e)
            {
                answer = $"1\nvgpu: {e.Message}\n";
            }

            File.AppendAllText(FileOf("answer"), answer);
        }
    }
}
