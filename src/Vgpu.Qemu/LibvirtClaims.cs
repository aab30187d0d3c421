namespace Vgpu.Qemu;

/// <summary>
/// Which domain has which vGPU, and whether it was the hook that started it: a file for each vGPU in a folder that ends with
/// the machine's run, so that one domain's end never stops another's vGPU.
/// </summary>
internal sealed class LibvirtClaims(string folder)
{
    /// <summary>Takes a vGPU for a domain. Returns the domain that has it, which is another where it is taken.</summary>
    internal Claim Take(Claim claim)
    {
        Directory.CreateDirectory(folder);
        while (true)
        {
            try
            {
                using var file = new FileStream(PathOf(claim.Vgpu), FileMode.CreateNew, FileAccess.Write, FileShare.None);
                using var text = new StreamWriter(file);
                text.Write(claim);
                return claim;
            }
            catch (IOException) when (Read(PathOf(claim.Vgpu)) is Claim other)
            {
                return other;
            }
            catch (IOException) when (File.Exists(PathOf(claim.Vgpu)))
            {
                // Of a hook that was ended while it wrote.
                File.Delete(PathOf(claim.Vgpu));
            }
        }
    }

    /// <summary>Writes down anew what was taken.</summary>
    internal void Replace(Claim claim)
    {
        string made = PathOf(claim.Vgpu) + "~";
        File.WriteAllText(made, claim.ToString());
        File.Move(made, PathOf(claim.Vgpu), overwrite: true);
    }

    internal void GiveBack(Claim claim) => File.Delete(PathOf(claim.Vgpu));

    internal IReadOnlyList<Claim> Of(Guid domain) =>
        Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Where(path => !path.EndsWith('~')).Select(Read).OfType<Claim>().Where(claim => claim.Domain == domain)] : [];

    private static Claim? Read(string path)
    {
        try
        {
            string[] words = File.ReadAllText(path).Split(' ');
            return words.Length == 3 && Guid.TryParse(words[0], out Guid domain) ? new Claim(Path.GetFileName(path), domain, words[1], words[2] == "started") : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private string PathOf(string vgpu) => Path.Combine(folder, vgpu);

    /// <param name="Vgpu">Its name in the domain's metadata.</param>
    /// <param name="Domain">The domain's UUID.</param>
    /// <param name="Key">What the bus knows it by.</param>
    /// <param name="IsStarted">The hook started it, and stops it.</param>
    internal sealed record Claim(string Vgpu, Guid Domain, string Key, bool IsStarted)
    {
        public override string ToString() => $"{Domain:D} {Key} {(IsStarted ? "started" : "used")}";
    }
}
