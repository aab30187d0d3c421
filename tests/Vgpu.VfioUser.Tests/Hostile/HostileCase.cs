using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>What the server does about a case.</summary>
internal enum Outcome
{
    /// <summary>It carries the request out: odd, and yet allowed.</summary>
    Accepted,

    /// <summary>An error reply of one exact errno; the conversation goes on.</summary>
    Refused,

    /// <summary>An error reply, then the end of the connection.</summary>
    RefusedAndClosed,

    /// <summary>The end of the connection, without a word.</summary>
    Closed,
}

/// <summary>One request that is as it should be.</summary>
internal sealed record Ask(VfioUserCommand Command, byte[] Payload, params DescriptorKind[] Descriptors);

/// <summary>What one hostile client sends, and the only thing that may come of it.</summary>
internal sealed record HostileCase
{
    /// <summary>The message's id, which its reply must carry.</summary>
    internal const ushort MessageId = 0xbeef;

    internal required string Name { get; init; }

    internal required VfioUserCommand Command { get; init; }

    /// <summary>The bytes on the wire, header and all.</summary>
    internal required byte[] Bytes { get; init; }

    internal required Outcome Outcome { get; init; }

    internal Errno Errno { get; init; }

    /// <summary>What travels with the bytes.</summary>
    internal DescriptorKind[] Descriptors { get; init; } = [];

    /// <summary>Said first and carried out; it is not what is tested.</summary>
    internal Ask[] Before { get; init; } = [];

    /// <summary>The client's first words: there was no VFIO_USER_VERSION before.</summary>
    internal bool IsFirst { get; init; }

    internal static HostileCase Refused(string name, VfioUserCommand command, byte[] payload, Errno errno, params DescriptorKind[] descriptors) => new()
    {
        Name = $"{command}, {name}",
        Command = command,
        Bytes = Wire.Message(MessageId, command, payload),
        Outcome = Outcome.Refused,
        Errno = errno,
        Descriptors = descriptors,
    };

    /// <summary>The same with EINVAL, which most of them get.</summary>
    internal static HostileCase Invalid(string name, VfioUserCommand command, byte[] payload, params DescriptorKind[] descriptors) =>
        Refused(name, command, payload, Errno.EINVAL, descriptors);

    internal static HostileCase Accepted(string name, VfioUserCommand command, byte[] payload, params DescriptorKind[] descriptors) =>
        Refused(name, command, payload, Errno.None, descriptors) with { Outcome = Outcome.Accepted };

    internal static HostileCase Closed(string name, byte[] bytes) => new()
    {
        Name = name,
        Command = 0,
        Bytes = bytes,
        Outcome = Outcome.Closed,
    };

    public override string ToString() => Name;
}
