namespace Vgpu.Bus;

/// <summary>What may be the name of an instance: it is a file name, a host name's part and a label as it is.</summary>
public static class InstanceName
{
    /// <summary>Letters at most.</summary>
    public const int MaxLength = 64;

    internal const string Rule = "1 to 64 of letters, digits, '-', '_' and '.', not beginning with '-' or '.'";

    /// <summary>Invalid, with what a name is, where it is none.</summary>
    public static void Check(string name)
    {
        if (!IsPlain(name) || Guid.TryParse(name, out _))
        {
            throw new BusException(BusError.Invalid, $"'{OneLine.Of(name, MaxLength)}' can't be a name: it is {Rule}, and no UUID");
        }
    }

    internal static bool IsPlain(string name) =>
        name.Length is >= 1 and <= MaxLength && name[0] is not ('-' or '.') && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');

    /// <summary>The name of a definition that says none, as mdevctl's: the same at each start.</summary>
    internal static string Derived(string type, Guid uuid)
    {
        string number = uuid.ToString("N");
        string front = type.Length <= MaxLength - 9 ? type : type[..(MaxLength - 9)];
        string name = $"{front}-{number[..8]}";
        return IsPlain(name) ? name : $"vgpu-{number[..8]}";
    }
}
