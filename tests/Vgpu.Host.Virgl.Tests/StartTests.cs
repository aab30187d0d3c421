using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Testing;
using static Vgpu.Host.Virgl.Tests.Guest;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>How a renderer begins, or says why not.</summary>
[Collection(nameof(Rendering))]
public sealed class StartTests(RendererThread thread)
{
    private const string None = "libvgpu-none.so";
    private static readonly VirglHost s_host = VirglHost.This;

    [Fact]
    public void This_host_lacks_nothing() => Assert.Null(VirglRenderer.FindMissing(new VirglOptions()));

    [Fact]
    public void Without_a_library_one_line_says_which_package_has_it()
    {
        AssertMissing(s_host with { Virgl = None }, "no VirGL: libvgpu-none.so is not on this host; install Debian's package libvirglrenderer1");
        AssertMissing(s_host with { Egl = None }, "no VirGL: libvgpu-none.so is not on this host; install Debian's packages libegl1 and libegl-mesa0");
        AssertMissing(s_host with { Gl = None }, "no VirGL: libvgpu-none.so is not on this host; install Debian's package libgl1");
    }

    [Fact]
    public void A_library_without_the_functions_is_named()
    {
        string missing = Refused(s_host with { Virgl = "libc.so.6" }, new VirglOptions());
        Assert.StartsWith("no VirGL: libc.so.6 is too old or another library: ", missing, StringComparison.Ordinal);
        Assert.Contains("virgl_renderer_init", missing, StringComparison.Ordinal);
        Assert.EndsWith("; install Debian's package libvirglrenderer1", missing, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_is_not_there_is_named()
    {
        var options = new VirglOptions { RenderNode = "/dev/dri/renderD999" };
        string missing = Refused(s_host, options);
        Assert.StartsWith("no VirGL: /dev/dri/renderD999 can't be opened (", missing, StringComparison.Ordinal);
        Assert.Equal(missing, VirglRenderer.FindMissing(options));
    }

    [Fact]
    public void A_node_that_is_no_GPU_is_named_and_the_next_start_succeeds() => thread.RunWithout(() =>
    {
        string missing = Refused(s_host, new VirglOptions { RenderNode = "/dev/null" });
        Assert.StartsWith("no VirGL: libvirglrenderer can't start on /dev/null (error ", missing, StringComparison.Ordinal);

        using VirglRenderer? renderer = VirglRenderer.TryCreate(new VirglOptions(), NullLogger.Instance, out string? other);
        Assert.True(renderer is not null, other);
    });

    [Fact]
    public void There_is_one_in_a_process() => thread.Run(renderer =>
    {
        Assert.StartsWith("no second VirGL in this process", Refused(s_host, new VirglOptions()), StringComparison.Ordinal);

        // And the first is as before.
        Begin(renderer, 8, 8);
        Ok(renderer.Submit(1, new CommandStream().Target(1, 1, B8G8R8X8).Clear(1, 1, 1, 1).Bytes));
    });

    [Fact]
    public void One_after_another_leaves_no_descriptors() => thread.RunWithout(() =>
    {
        int before = 0;
        for (int round = 0; round < 12; round++)
        {
            using (VirglRenderer? renderer = VirglRenderer.TryCreate(new VirglOptions(), NullLogger.Instance, out string? missing))
            {
                Assert.True(renderer is not null, missing);
                Begin(renderer, 8, 8);
                Ok(renderer.Submit(1, new CommandStream().Target(1, 1, B8G8R8X8).Clear(1, 1, 1, 1).Bytes));
                Assert.All(Read(renderer, 1, new Screens.Rect(0, 0, 8, 8)), pixel => Assert.Equal(0xffffffff, pixel));
            }

            int now = OwnDescriptors.Count("[eventfd]", "/dev/");
            before = round == 2 ? now : before;
        }

        Assert.Equal(before, OwnDescriptors.Count("[eventfd]", "/dev/"));
    });

    [Fact]
    public void Without_a_thread_that_waits_fences_are_polled_for()
    {
        string assembly = Path.Combine(AppContext.BaseDirectory, "Vgpu.Host.Virgl.Tests.dll");
        (int status, string output) = Shell.Run("env", "VIRGL_DISABLE_MT=1", "dotnet", assembly, "-noLogo", "-noColor", "-class", "*.FenceTests");
        Assert.True(status == 0, output);
    }

    private static void AssertMissing(VirglHost host, string line) => Assert.Equal(line, Refused(host, new VirglOptions()));

    private static string Refused(VirglHost host, VirglOptions options)
    {
        using VirglRenderer? renderer = VirglRenderer.TryCreate(host, options, NullLogger.Instance, out string? missing);
        Assert.Null(renderer);
        return missing!;
    }
}
