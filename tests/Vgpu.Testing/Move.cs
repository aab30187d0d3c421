// Moving a device's state as a client does, and what a hostile client makes of a state.
using Vgpu.Linux;
using Vgpu.Vfio;
using static Vgpu.Vfio.Migration.VfioDeviceState;

namespace Vgpu.Testing;

public static class Move
{
    // Odd, so that no structure's end is a piece's end.
    private const int Piece = 4999;

    /// <summary>Stops the device and saves its state.</summary>
    public static byte[] Save(VfioDevice device)
    {
        Assert.Equal(Errno.None, device.Migration.SetDeviceState(VFIO_DEVICE_STATE_STOP_COPY));
        using var state = new MemoryStream();
        var piece = new byte[Piece];
        int read;
        do
        {
            Assert.Equal(Errno.None, device.Migration.Read(piece, out read));
            state.Write(piece, 0, read);
        }
        while (read != 0);

        Assert.Equal(Errno.None, device.Migration.SetDeviceState(VFIO_DEVICE_STATE_STOP));
        return state.ToArray();
    }

    /// <summary>Gives the device another's state; where it takes it, it is stopped, otherwise in ERROR.</summary>
    public static Errno Load(VfioDevice device, ReadOnlySpan<byte> state)
    {
        Assert.Equal(Errno.None, device.Migration.SetDeviceState(VFIO_DEVICE_STATE_RESUMING));
        for (; !state.IsEmpty; state = state[Math.Min(Piece, state.Length)..])
        {
            Errno errno = device.Migration.Write(state[..Math.Min(Piece, state.Length)]);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return device.Migration.SetDeviceState(VFIO_DEVICE_STATE_STOP);
    }

    /// <summary>The device goes on, or begins.</summary>
    public static void Run(VfioDevice device) => Assert.Equal(Errno.None, device.Migration.SetDeviceState(VFIO_DEVICE_STATE_RUNNING));

    /// <summary>VFIO_DEVICE_RESET, as a server does it.</summary>
    public static void Reset(VfioDevice device)
    {
        device.Reset();
        device.Migration.Reset();
        Assert.Equal(VFIO_DEVICE_STATE_RUNNING, device.Migration.DeviceState);
    }

    /// <summary>Refused, in ERROR, and a reset leads out.</summary>
    public static void AssertRefused(VfioDevice device, ReadOnlySpan<byte> state)
    {
        Assert.Equal(Errno.EINVAL, Load(device, state));
        Assert.Equal(VFIO_DEVICE_STATE_ERROR, device.Migration.DeviceState);
        Assert.Equal(Errno.EINVAL, device.Migration.SetDeviceState(VFIO_DEVICE_STATE_RUNNING));
        Reset(device);
    }

    /// <summary>No part of a state is one: the first <paramref name="all"/> lengths and each n-th after them.</summary>
    public static void AssertTruncatedRefused(VfioDevice device, byte[] state, int all = 1024, int step = 997)
    {
        for (int length = 0; length < state.Length; length += length < all ? 1 : step)
        {
            AssertRefused(device, state.AsSpan(0, length));
        }

        AssertRefused(device, state.AsSpan(0, state.Length - 1));
        AssertRefused(device, [.. state, 0]);
    }

    /// <summary>A state with a few of its bytes, words or runs made something else, or cut short.</summary>
    public static byte[] Damage(byte[] state, Random random)
    {
        byte[] damaged = [.. state];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            Span<byte> at = damaged.AsSpan(random.Next(damaged.Length));
            int length = Math.Min(at.Length, 1 << random.Next(4));
            switch (random.Next(5))
            {
                case 0:
                    at[..length].Fill(0xff);
                    break;
                case 1:
                    at[..length].Clear();
                    break;
                case 2:
                    random.NextBytes(at[..length]);
                    break;
                case 3:
                    at[0] += (byte)random.Next(-2, 3);
                    break;
                default:
                    damaged.AsSpan(random.Next(damaged.Length - length + 1), length).ToArray().CopyTo(at);
                    break;
            }
        }

        return random.Next(8) == 0 ? damaged[..random.Next(damaged.Length)] : damaged;
    }

    /// <summary>
    /// Flips single bits: the device refuses what comes of it or takes it over exactly, which it shows by saving it again.
    /// How many it refused; <paramref name="check"/> looks at it after each.
    /// </summary>
    public static int FlipBits(VfioDevice device, byte[] state, int step = 1, Action<bool>? check = null)
    {
        int refused = 0;
        byte[] flipped = [.. state];
        for (int bit = 0; bit < state.Length * 8; bit += step)
        {
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Errno errno = Load(device, flipped);
            Assert.True(errno is Errno.None or Errno.EINVAL, $"{errno} at bit {bit}");
            check?.Invoke(errno == Errno.None);
            if (errno == Errno.None)
            {
                Assert.True(flipped.AsSpan().SequenceEqual(Save(device)), $"another state after bit {bit}");
            }
            else
            {
                refused++;
            }

            Reset(device);
            flipped[bit / 8] = state[bit / 8];
        }

        return refused;
    }
}
