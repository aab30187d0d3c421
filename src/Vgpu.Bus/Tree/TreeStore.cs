using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Bus;

/// <summary>
/// The bus as the tree asks it: a device is in the tree for as long as it is not stopped, and a refusal is an errno. Any
/// thread.
/// </summary>
internal sealed partial class TreeStore(IBus bus, ILogger logger)
{
    internal IReadOnlyList<ParentView> Parents() => Ask(bus.Parents);

    internal ParentView? Parent(string name) => Parents().FirstOrDefault(parent => parent.Name == name);

    internal IEnumerable<InstanceView> Devices() => Ask(bus.Instances).Where(IsDevice);

    /// <summary>Null: not in the tree.</summary>
    internal InstanceView? Device(Guid uuid) => Find(uuid) is { } instance && IsDevice(instance) ? instance : null;

    /// <summary>Throws where it has gone.</summary>
    internal InstanceView Require(Guid uuid) => Device(uuid) ?? throw new LinuxException("tree", Errno.ENOENT);

    internal TypeView? TypeOf(InstanceDefinition definition) =>
        Parent(definition.Parent)?.Types.FirstOrDefault(type => type.Name == definition.Type);

    /// <summary>The name of a device's folder and no other spelling of it.</summary>
    internal static bool TryParseName(string name, out Guid uuid) => TryParse(name, out uuid) && name == NameOf(uuid);

    internal static string NameOf(Guid uuid) => uuid.ToString("D");

    /// <summary>
    /// What a write of a UUID to <c>create</c> does: starts the definition of that UUID where there is one, as mdevctl's
    /// start means it, and else makes an instance that lives until it is stopped.
    /// </summary>
    internal void Create(string parent, string type, string text) => Do("create", () =>
    {
        if (!TryParse(Line(text), out Guid uuid))
        {
            throw new BusException(BusError.Invalid, $"'{Short(text)}' is no UUID; write one such as {NameOf(Guid.NewGuid())}");
        }

        InstanceView? defined = Find(uuid);
        if (defined is null)
        {
            bus.Create(new CreateRequest { Parent = parent, Type = type, Uuid = uuid, Persistent = false, Start = true });
        }
        else if (defined.Definition.Parent != parent || defined.Definition.Type != type)
        {
            throw new BusException(BusError.Exists, $"{uuid} is defined as a {defined.Definition.Type} on {defined.Definition.Parent}; start it there, or undefine it");
        }
        else if (defined.State is InstanceState.Running or InstanceState.Starting)
        {
            throw new BusException(BusError.Exists, $"{uuid} runs already");
        }
        else
        {
            bus.Start(NameOf(uuid));
        }
    });

    internal void Remove(Guid uuid, string text) => Do("remove", () =>
    {
        if (Line(text) != "1")
        {
            throw new BusException(BusError.Invalid, $"'{Short(text)}' does not remove {uuid}; write 1");
        }

        bus.Stop(NameOf(Require(uuid).Definition.Uuid));
    });

    /// <summary>An empty line goes back to what the type says. What is so already is not set again: mdevctl writes all that it knows.</summary>
    internal void Set(Guid uuid, string setting, string text, Func<InstanceView, string> now) => Do(setting, () =>
    {
        string value = Line(text);
        if (now(Require(uuid)) != value)
        {
            bus.Set(NameOf(uuid), new Dictionary<string, string?> { [setting] = value.Length == 0 ? null : value });
        }
    });

    /// <summary>One line: what others have named and described can't begin a second.</summary>
    internal static string Flat(string text) => text.ReplaceLineEndings(" ").Trim();

    private static bool IsDevice(InstanceView instance) => instance.State != InstanceState.Stopped;

    // uuid_parse of the kernel: 36 characters of hexadecimal digits and hyphens. Guid alone takes more.
    private static bool TryParse(string text, out Guid uuid)
    {
        uuid = default;
        return text.Length == 36 && text.All(c => c == '-' || char.IsAsciiHexDigit(c)) && Guid.TryParseExact(text, "D", out uuid);
    }

    // echo ends what it writes with a newline, mdevctl does not.
    private static string Line(string text) => text.EndsWith('\n') ? text[..^1] : text;

    private static string Short(string text) => Flat(text.Length > 64 ? text[..64] + "..." : text);

    private static Errno ErrnoOf(BusError error) => error switch
    {
        BusError.Invalid => Errno.EINVAL,
        BusError.NotFound => Errno.ENOENT,
        BusError.Exists => Errno.EEXIST,
        BusError.Exhausted => Errno.ENOSPC,
        BusError.Busy => Errno.EBUSY,
        BusError.Forbidden => Errno.EACCES,
        _ => Errno.EIO,
    };

    private InstanceView? Find(Guid uuid)
    {
        try
        {
            return bus.Find(NameOf(uuid));
        }
        catch (BusException e) when (e.Error == BusError.NotFound)
        {
            return null;
        }
        catch (BusException e)
        {
            throw new LinuxException("tree", ErrnoOf(e.Error));
        }
    }

    private static T Ask<T>(Func<T> question)
    {
        try
        {
            return question();
        }
        catch (BusException e)
        {
            throw new LinuxException("tree", ErrnoOf(e.Error));
        }
    }

    private void Do(string attribute, Action action)
    {
        try
        {
            action();
        }
        catch (BusException e)
        {
            Refused(logger, attribute, e.Message);
            throw new LinuxException(attribute, ErrnoOf(e.Error));
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "tree: a write to {Attribute} was refused: {Reason}")]
    private static partial void Refused(ILogger logger, string attribute, string reason);
}
