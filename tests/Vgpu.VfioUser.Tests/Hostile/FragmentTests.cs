using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests.Hostile;

// One conversation in which every command is said, cut at every byte and broken off at every byte.
public sealed class FragmentTests : IDisposable
{
    private readonly OddDescriptors _odd = new();
    private readonly List<(byte[] Bytes, FileDescriptor[] Descriptors)> _messages = [];
    private readonly int _length;

    public FragmentTests()
    {
        _messages.Add((Wire.Message(0, VfioUserCommand.VFIO_USER_VERSION, Wire.Version("{\"capabilities\":{\"max_msg_fds\":8}}\0")), []));
        foreach (Ask ask in Requests.Good)
        {
            _messages.Add((Wire.Message((ushort)_messages.Count, ask.Command, ask.Payload), [.. ask.Descriptors.Select(kind => _odd[kind])]));
        }

        _length = _messages.Sum(m => m.Bytes.Length);
    }

    public void Dispose() => _odd.Dispose();

    [Fact]
    public void A_conversation_cut_at_every_byte_is_the_same()
    {
        using var served = new ServedDevice();
        for (int cut = 1; cut < _length; cut++)
        {
            AssertAnswered(served, at => at == cut);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    public void A_conversation_in_pieces_is_the_same(int piece)
    {
        using var served = new ServedDevice();
        AssertAnswered(served, at => at % piece == 0);
    }

    [Fact]
    public void A_disconnect_at_every_byte_leaves_the_server_whole()
    {
        using var served = new ServedDevice();
        int opens = 0;
        for (int length = 0; length <= _length; length++)
        {
            using VfioUserClient client = served.Connect();
            Say(client, length, _ => false);
            opens += length >= _messages[0].Bytes.Length ? 1 : 0;
        }

        using VfioUserClient last = served.Negotiated();
        Assert.Equal(9u, last.GetDeviceInfo().RegionCount);
        Assert.Equal((opens + 1, opens), (served.Device.Opens, served.Device.Closes));
        Assert.Equal(0, served.Device.Iommu.MapCount);
    }

    private void AssertAnswered(ServedDevice served, Predicate<int> isCut)
    {
        using (VfioUserClient client = served.Connect())
        {
            Say(client, _length, isCut);
            for (int id = 0; id < _messages.Count; id++)
            {
                _ = client.Receive(out VfioUserHeader header);
                Assert.Equal((id, VfioUserFlags.VFIO_USER_REPLY), (header.MessageId, header.Flags));
            }
        }

        served.Device.WaitForClose();
    }

    // The first bytes of the conversation; a descriptor goes with its message's first one.
    private void Say(VfioUserClient client, int length, Predicate<int> isCut)
    {
        int at = 0;
        foreach (var (bytes, descriptors) in _messages)
        {
            int begin = 0;
            for (int i = 1; i <= bytes.Length && at + begin < length; i++)
            {
                if (i == bytes.Length || at + i == length || isCut(at + i))
                {
                    client.SendRaw(bytes[begin..i], begin == 0 ? descriptors : []);
                    begin = i;
                }
            }

            at += bytes.Length;
        }
    }
}
