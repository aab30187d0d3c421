using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Tests;

// The client against servers that lie.
public sealed class FeedClientTests
{
    private static readonly byte[] _welcome = Answer(FeedProtocol.FEED_HELLO, 1,
        FeedProtocol.BytesOf(new FeedHello { Magic = FeedProtocol.Magic, Major = 1 }));

    [Theory]
    [InlineData(new byte[0], Errno.ETIMEDOUT)]
    [InlineData(new byte[] { 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 2, 3 }, Errno.ETIMEDOUT)]
    [InlineData(new byte[] { 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 }, Errno.EPROTO)]
    [InlineData(new byte[] { 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255 }, Errno.EPROTO)]
    [InlineData(new byte[] { 1, 0x80, 0, 0, 1, 0, 0, 0, 95, 0, 0, 0, 0, 0, 0, 0 }, Errno.ENOTSUP)]
    [InlineData(new byte[] { 1, 0x80, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, Errno.ETIMEDOUT)]
    public void A_bad_greeting_is_one_clear_error(byte[] answer, Errno expected)
    {
        (UnixSocket ours, UnixSocket theirs) = UnixSocket.Pair();
        using (theirs)
        {
            Assert.Equal(Errno.None, theirs.Send(answer));
            Assert.Equal(expected, Assert.Throws<ScreenFeedException>(() => ScreenFeedClient.Over(ours, TimeSpan.FromMilliseconds(100))).Errno);
        }
    }

    public static TheoryData<string> Lies => ["none", "null", "socket", "unsealed", "short", "wide", "format", "stride", "length", "offset", "zero", "honest"];

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_picture_that_could_fault_is_not_mapped(string lie)
    {
        (UnixSocket ours, UnixSocket theirs) = UnixSocket.Pair();
        using (theirs)
        using (ScreenFeedClient client = Greeted(ours, theirs))
        {
            var snapshot = new FeedSnapshot { Width = 64, Height = 32, Stride = 256, Format = (uint)PixelFormat.B8G8R8X8, Length = 8192, Ticket = 1 };
            switch (lie)
            {
                case "wide": (snapshot.Width, snapshot.Stride, snapshot.Height, snapshot.Length) = (0x40000001, 4, 1, 4); break;
                case "format": snapshot.Format = 3; break;
                case "stride": snapshot.Stride = 255; break;
                case "length": snapshot.Length = 8191; break;
                case "offset": snapshot.Offset = 4096; break;
                case "zero": (snapshot.Width, snapshot.Stride, snapshot.Length) = (0, 0, 0); break;
            }

            Seals seals = lie == "unsealed" ? Seals.F_SEAL_GROW : Seals.F_SEAL_SHRINK | Seals.F_SEAL_WRITE;
            using FileDescriptor file = lie == "null" ? FileDescriptor.OpenRead("/dev/null") : MemFd.Create("lie", lie == "short" ? 4096UL : 8192UL, seals);
            int[] descriptors = lie == "none" ? [] : [lie == "socket" ? theirs.Descriptor.Number : file.Number];
            Assert.Equal(Errno.None, theirs.Send(Answer(FeedProtocol.FEED_SNAPSHOT, 2, FeedProtocol.BytesOf(snapshot)), default, descriptors));

            if (lie == "honest")
            {
                Assert.Equal(8192, client.Capture(0, true)!.Pixels.Length);
            }
            else
            {
                Assert.Equal(Errno.EPROTO, Assert.Throws<ScreenFeedException>(() => client.Capture(0, true)).Errno);
            }
        }
    }

    [Fact]
    public void Messages_of_a_later_version_are_skipped()
    {
        (UnixSocket ours, UnixSocket theirs) = UnixSocket.Pair();
        using (theirs)
        using (ScreenFeedClient client = Greeted(ours, theirs))
        {
            Assert.Equal(Errno.None, theirs.Send(Answer(16, 0, new byte[100])));
            Assert.Equal(Errno.None, theirs.Send(Answer(FeedProtocol.FEED_LIST_HEADS, 2, FeedProtocol.BytesOf(new FeedHead { Width = 5, Flags = 3 }))));
            FeedHeadInfo head = Assert.Single(client.Heads());
            Assert.Equal((5, true, true), (head.State.Width, head.State.IsConnected, head.State.HasCursor));
        }
    }

    [Fact]
    public void A_server_that_goes_away_is_said_so()
    {
        (UnixSocket ours, UnixSocket theirs) = UnixSocket.Pair();
        using ScreenFeedClient client = Greeted(ours, theirs);
        theirs.Dispose();
        Assert.ThrowsAny<IOException>(() => client.Heads());
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => ScreenFeedClient.Capture("/nonexistent/x.screen", 0, true)).Errno);
    }

    private static ScreenFeedClient Greeted(UnixSocket ours, UnixSocket theirs)
    {
        Assert.Equal(Errno.None, theirs.Send(_welcome));
        return ScreenFeedClient.Over(ours, TimeSpan.FromSeconds(5));
    }

    private static byte[] Answer(ushort type, uint id, ReadOnlySpan<byte> payload)
    {
        var header = new FeedHeader { Type = (ushort)(type | FeedProtocol.FEED_REPLY), Id = id, Length = (uint)payload.Length };
        return [.. FeedProtocol.BytesOf(header), .. payload];
    }
}
