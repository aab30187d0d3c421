using System.Diagnostics;
using System.Text;
using Vgpu.Screens;

namespace Vgpu.Testing;

/// <summary>Stock clients: spicy-screenshot of spice-gtk.</summary>
public static class SpiceClient
{
    /// <summary>The file in its folder with the authorities that it trusts, where there is one.</summary>
    public const string Authorities = "authorities.pem";

    private const string Seconds = "20";

    /// <summary>What it saw; null where it saw nothing, and then what it said.</summary>
    public static Picture? Screenshot(TemporaryFolder folder, string uri, out string output, params string[] options)
    {
        string file = folder.File("seen.ppm");
        File.Delete(file);
        var start = new ProcessStartInfo("timeout", [Seconds, "spicy-screenshot", "--uri=" + uri, "-o", file, .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = Path.GetDirectoryName(file);
        start.Environment["SSL_CERT_FILE"] = folder.File(Authorities);
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        return File.Exists(file) ? ReadPpm(File.ReadAllBytes(file)) : null;
    }

    /// <summary>The words that give it a password.</summary>
    public static string[] Knowing(string? password) => password is null ? [] : ["-w", password];

    // P6, 8 bits: netpbm's ppm(5).
    private static Picture ReadPpm(byte[] file)
    {
        int at = 0;
        string Word()
        {
            int start = at;
            while (file[at] is not ((byte)' ' or (byte)'\n'))
            {
                at++;
            }

            return Encoding.ASCII.GetString(file[start..at++]);
        }

        Assert.Equal("P6", Word());
        int width = int.Parse(Word());
        int height = int.Parse(Word());
        Assert.Equal("255", Word());
        var pixels = new byte[width * height * 4];
        for (int i = 0; i < width * height; i++)
        {
            (pixels[(i * 4) + 2], pixels[(i * 4) + 1], pixels[i * 4], pixels[(i * 4) + 3]) = (file[at], file[at + 1], file[at + 2], 255);
            at += 3;
        }

        return new Picture(width, height, pixels);
    }
}
