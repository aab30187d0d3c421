using System.Collections;
using System.Runtime.InteropServices;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>The program that this process runs (execve(2)).</summary>
public static unsafe class ProgramImage
{
    /// <summary>
    /// Becomes another program, with this process's number, environment and open descriptors that are not close-on-exec.
    /// Returns only by throwing <see cref="LinuxException"/>.
    /// </summary>
    /// <param name="path">The program's file.</param>
    /// <param name="arguments">All of them, beginning with the program's name.</param>
    public static void Replace(string path, IReadOnlyCollection<string> arguments)
    {
        var environment = new List<string>();
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment.Add($"{variable.Key}={variable.Value}");
        }

        byte** argv = ToVector(arguments);
        byte** envp = ToVector(environment);
        _ = Libc.Execve(path, argv, envp);
        var error = LinuxException.Last("execve", path);
        Free(argv);
        Free(envp);
        throw error;
    }

    // Sound: one more pointer than there are words, and that one is null.
    private static byte** ToVector(IReadOnlyCollection<string> words)
    {
        var vector = (byte**)NativeMemory.AllocZeroed((nuint)words.Count + 1, (nuint)sizeof(byte*));
        int i = 0;
        foreach (string word in words)
        {
            vector[i++] = (byte*)Marshal.StringToCoTaskMemUTF8(word);
        }

        return vector;
    }

    // Sound: what ToVector made, once.
    private static void Free(byte** vector)
    {
        for (byte** word = vector; *word is not null; word++)
        {
            Marshal.FreeCoTaskMem((nint)(*word));
        }

        NativeMemory.Free(vector);
    }
}
