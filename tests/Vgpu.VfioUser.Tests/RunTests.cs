using Vgpu.Testing;

namespace Vgpu.VfioUser.Tests;

// What a server does for a program that is nothing but a device.
public sealed class RunTests
{
    [Fact]
    public void A_program_that_can_not_listen_says_why_and_ends()
    {
        using var device = new FakeDevice();
        var log = new ListLogger();
        Assert.Equal(1, VfioUserServer.Run("/nowhere/device.sock", device, log));
        Assert.Equal(["device: can't listen: bind /nowhere/device.sock: No such file or directory"], log.Lines);
    }

    [Fact]
    public void A_command_line_is_one_socket()
    {
        using var device = new FakeDevice();
        Assert.Equal(2, VfioUserServer.Run([], device));
        Assert.Equal(2, VfioUserServer.Run(["one.sock", "two.sock"], device));
    }

    [Fact]
    public void A_domain_without_a_logger_takes_the_servers()
    {
        using var device = new FakeDevice();
        device.Iommu.Logger = null;
        using var server = new VfioUserServer("unused.sock", device, new ListLogger());
        var taken = device.Iommu.Logger;
        Assert.NotNull(taken);
        using var second = new VfioUserServer("unused.sock", device, new ListLogger());
        Assert.Same(taken, device.Iommu.Logger);
    }
}
