using System.Runtime.InteropServices;

namespace Vgpu.Linux;

/// <summary>A libc call that failed, with the call's name, the subject and the error number.</summary>
public sealed class LinuxException : IOException
{
    /// <summary>The call that failed, what it set errno to, and what it was about, such as a path.</summary>
    public LinuxException(string call, Errno errno, string? subject = null)
        : base(Describe(call, errno, subject))
    {
        Call = call;
        Errno = errno;
    }

    /// <summary>The libc function, for example <c>mmap</c>.</summary>
    public string Call { get; }

    /// <summary>What it set errno to.</summary>
    public Errno Errno { get; }

    internal static LinuxException Last(string call, string? subject = null) =>
        new(call, (Errno)Marshal.GetLastPInvokeError(), subject);

    private static string Describe(string call, Errno errno, string? subject)
    {
        string reason = Marshal.GetPInvokeErrorMessage((int)errno);
        return subject is null ? $"{call}: {reason}" : $"{call} {subject}: {reason}";
    }
}
