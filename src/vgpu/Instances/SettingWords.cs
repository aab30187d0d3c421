namespace Vgpu.Cli;

/// <summary>Settings as they are typed: <c>key=value</c>, and <c>key=</c> for the type's own.</summary>
internal static class SettingWords
{
    /// <summary>By name; null where no value was typed. Throws <see cref="OperatorException"/>.</summary>
    internal static Dictionary<string, string?> Parse(IEnumerable<string> words)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (string word in words)
        {
            if (word.IndexOf('=', StringComparison.Ordinal) is not (> 0 and int at))
            {
                throw new OperatorException($"'{word}' is no setting; write KEY=VALUE, for example memory_limit=512M");
            }

            string key = word[..at];
            string value = word[(at + 1)..];
            if (!settings.TryAdd(key, value.Length == 0 ? null : key switch
            {
                "memory_limit" => ByteCount.ToPlain(value),
                "owner" => OwnerWord.Parse(value).ToString(),
                _ => value,
            }))
            {
                throw new OperatorException($"'{key}' is there twice; say it once");
            }
        }

        return settings;
    }
}
