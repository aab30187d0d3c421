using System.Diagnostics;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>The demo, as a user runs it.</summary>
public sealed class DemoTests
{
    [Theory]
    [InlineData("virtio-gpu")]
    [InlineData("virtio-gpu-gl")]
    [InlineData("bochs")]
    public void The_demo_saves_a_picture_with_the_guests_console_in_it(string device)
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("vgpu-demo-test-").FullName, "demo.png");
        try
        {
            (int status, string output) = Run("demo", "--headless", "--shot", file, "--device", device);

            Assert.True(status == 0, output);
            Assert.Contains(file, output, StringComparison.Ordinal);
            Picture picture = PngReader.Read(File.ReadAllBytes(file));
            Assert.Equal((1024, 768), (picture.Width, picture.Height));
            ConsoleText.AssertShows(picture, "vgpu guest    Linux ");
            ConsoleText.AssertShows(picture, "class 038000 driver ");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    private static (int Status, string Output) Run(params string[] arguments)
    {
        string home = Repository.Folder;
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(home, "vgpu"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
