namespace Vgpu.Cli;

/// <summary>Where a picture is to be saved, checked before anything slow is done for it.</summary>
internal static class PicturePath
{
    /// <summary>The full path. Throws <see cref="OperatorException"/> where no file can be.</summary>
    internal static string Resolve(string path)
    {
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new OperatorException($"{full} is a folder; name a file in it for the picture");
        }

        string folder = Path.GetDirectoryName(full)!;
        return Directory.Exists(folder) ? full : throw new OperatorException($"there is no folder {folder} for the picture; make it or name a file elsewhere");
    }
}
