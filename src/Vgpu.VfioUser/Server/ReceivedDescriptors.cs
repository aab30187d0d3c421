using Vgpu.Linux;

namespace Vgpu.VfioUser.Server;

/// <summary>
/// The file descriptors of the one message that is being received. Whatever its command does not take is closed when
/// the message ends. Connection thread only.
/// </summary>
internal sealed class ReceivedDescriptors
{
    private readonly FileDescriptor?[] _descriptors = new FileDescriptor?[VfioUserLimits.MaxMsgFds];

    /// <summary>Descriptors that came and were kept.</summary>
    internal int Count { get; private set; }

    /// <summary>EINVAL: more came than one message may carry; EMFILE: the kernel could not give us all of them.</summary>
    internal Errno Fault { get; set; }

    /// <summary>Takes ownership of numbers fresh from recvmsg.</summary>
    internal void Add(ReadOnlySpan<int> numbers)
    {
        foreach (int number in numbers)
        {
            var descriptor = new FileDescriptor(number);
            if (Count < _descriptors.Length)
            {
                _descriptors[Count++] = descriptor;
            }
            else
            {
                Fault = Errno.EINVAL;
                descriptor.Dispose();
            }
        }
    }

    /// <summary>Closes numbers fresh from recvmsg that no message can have.</summary>
    internal static void Close(ReadOnlySpan<int> numbers)
    {
        foreach (int number in numbers)
        {
            new FileDescriptor(number).Dispose();
        }
    }

    /// <summary>Looks at one; it stays here.</summary>
    internal FileDescriptor Peek(int index) => _descriptors[index] ?? throw new InvalidOperationException("taken");

    /// <summary>Hands one over: the caller closes it from now on.</summary>
    internal FileDescriptor Take(int index)
    {
        FileDescriptor descriptor = Peek(index);
        _descriptors[index] = null;
        return descriptor;
    }

    /// <summary>Closes what was not taken.</summary>
    internal void Clear()
    {
        for (int i = 0; i < Count; i++)
        {
            _descriptors[i]?.Dispose();
            _descriptors[i] = null;
        }

        Count = 0;
        Fault = Errno.None;
    }
}
