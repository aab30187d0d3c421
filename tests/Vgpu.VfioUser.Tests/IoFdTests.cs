using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

// VFIO_USER_DEVICE_GET_REGION_IO_FDS: accesses past the client.
public sealed class IoFdTests : IDisposable
{
    private readonly ServedDevice _served = new();

    public void Dispose() => _served.Dispose();

    [Fact]
    public void A_doorbell_of_the_devices_reaches_it_through_its_file()
    {
        using VfioUserClient client = _served.Negotiated();
        IReadOnlyList<VfioIoFd> found = client.GetRegionIoFds(FakeDevice.Large);

        VfioIoFd[] expected = [.. _served.Device.Regions[FakeDevice.Large].IoFds.Zip(found, (ours, theirs) => ours with { File = theirs.File })];
        Assert.Equal(expected, found);
        Assert.Same(found[0].File, found[1].File);
        Assert.NotSame(found[0].File, found[2].File);
        using var doorbell = new EventFd(found[0].File);
        using FileDescriptor other = found[2].File;
        doorbell.Signal();
        Assert.Equal((1UL, 0UL), (_served.Device.Doorbells[0].Take(), _served.Device.Doorbells[1].Take()));
    }

    [Fact]
    public void A_client_that_takes_one_descriptor_hears_of_those_that_share_the_first()
    {
        using VfioUserClient client = _served.Connect();
        _ = client.Negotiate(new VfioUserCapabilities { MaxMsgFds = 1 });
        IReadOnlyList<VfioIoFd> found = client.GetRegionIoFds(FakeDevice.Large);
        Assert.Equal([0x1000UL, 0x1004UL], found.Select(each => each.Offset));
        found[0].File.Dispose();
    }

    [Fact]
    public void A_reply_that_is_too_short_for_the_list_says_how_long_it_is()
    {
        using VfioUserClient client = _served.Negotiated();
        byte[] query = Wire.Bytes(new RegionIoFds { Argsz = RegionIoFds.Length, Index = FakeDevice.Large });
        byte[] reply = client.Request(VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_IO_FDS, query).ToArray();
        Assert.Equal(Wire.Bytes(new RegionIoFds { Argsz = 16 + (3 * 40), Index = FakeDevice.Large, Count = 3 }), reply);
        Assert.Null(client.TakeDescriptor());
        Assert.Empty(client.GetRegionIoFds(FakeDevice.Registers));
    }
}
