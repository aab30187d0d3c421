namespace Vgpu.Vm.Tests;

/// <summary>A VM whose memory is not shared gets one clear line on the server's log.</summary>
public sealed class SharedMemoryTests
{
    [Theory]
    [InlineData("no backend", "-machine", "q35", "-m", "512M")]
    [InlineData("share=off", "-object", "memory-backend-memfd,id=mem0,size=512M,share=off", "-machine", "q35,memory-backend=mem0", "-m", "512M")]
    public void One_line_names_the_mistake_and_the_arguments_that_mend_it(string mistake, params string[] memory)
    {
        using var vgpu = new ServedVgpu("virtio-gpu");
        using var machine = TestMachine.BootWith([.. memory, "-device", vgpu.Attachment.ToDeviceJson()], "vgpu.shell vgpu.hold");

        string[] lines = [.. vgpu.Log.Split('\n').Where(line => line.Contains("share=on", StringComparison.Ordinal))];

        string line = Assert.Single(lines);
        Assert.StartsWith("vgpu: warning: ", line, StringComparison.Ordinal);
        Assert.Contains("memory-backend-memfd", line, StringComparison.Ordinal);
        Assert.False(string.IsNullOrEmpty(mistake));
    }
}
