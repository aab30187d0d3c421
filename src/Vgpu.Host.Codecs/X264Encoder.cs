using System.Buffers;
using Vgpu.Host.Codecs.Interop;
using Vgpu.Screens;

namespace Vgpu.Host.Codecs;

// x264, tuned for no delay: a picture comes out for each that goes in.
internal sealed unsafe class X264Encoder : IH264Encoder
{
    private const int MaxThreads = 4;
    private readonly X264 _library;
    private readonly I420Picture _picture;
    private nint _encoder;
    private long _frames;

    private X264Encoder(X264 library, nint encoder, I420Picture picture)
    {
        _library = library;
        _encoder = encoder;
        _picture = picture;
    }

    ~X264Encoder() => Release();

    public int Width => _picture.SourceWidth;

    public int Height => _picture.SourceHeight;

    // Null where the library refuses the size.
    internal static X264Encoder? TryCreate(X264 library, int width, int height, H264Settings settings)
    {
        X264.x264_param_t parameters;
        if (!library.TryDefaults(&parameters, "superfast\0"u8, "zerolatency\0"u8))
        {
            return null;
        }

        var picture = new I420Picture(width, height);
        Configure(ref parameters, picture.Width, picture.Height, settings);
        nint encoder = library.TryProfile(&parameters, "baseline\0"u8) ? library.Open(&parameters) : 0;
        if (encoder != 0)
        {
            return new X264Encoder(library, encoder, picture);
        }

        picture.Dispose();
        return null;
    }

    public bool Encode(ReadOnlySpan<byte> bgrx, int stride, bool keyFrame, IBufferWriter<byte> annexB)
    {
        ArgumentNullException.ThrowIfNull(annexB);
        _picture.Fill(bgrx, stride);
        X264.x264_picture_t source;
        X264.x264_picture_t coded;
        _library.Initialize(&source);
        source.i_type = keyFrame ? X264.X264_TYPE_IDR : X264.X264_TYPE_AUTO;
        source.i_pts = _frames;
        source.img_i_csp = X264.X264_CSP_I420;
        source.img_i_plane = 3;
        source.Y = _picture.Y;
        source.U = _picture.U;
        source.V = _picture.V;
        source.img_i_stride[0] = _picture.LumaStride;
        source.img_i_stride[1] = source.img_i_stride[2] = _picture.ChromaStride;
        X264.x264_nal_t* nals;
        int count;

        // Sound: the planes are of the size and strides said; x264 copies them before it returns.
        int length = _library.Encode(_encoder, &nals, &count, &source, &coded);
        if (length <= 0 || count < 1)
        {
            throw new InvalidOperationException($"x264 made no picture of {Width}x{Height}: {length}.");
        }

        _frames++;
        // Sound: "the payloads of all output NALs are guaranteed to be sequential in memory" (x264.h), until the next call.
        annexB.Write(new ReadOnlySpan<byte>(nals[0].p_payload, length));
        GC.KeepAlive(this);
        return coded.b_keyframe != 0;
    }

    public void Dispose()
    {
        Release();
        _picture.Dispose();
        GC.SuppressFinalize(this);
    }

    private static void Configure(ref X264.x264_param_t parameters, int width, int height, H264Settings settings)
    {
        parameters.i_log_level = X264.X264_LOG_NONE;
        parameters.i_threads = Math.Min(Environment.ProcessorCount, MaxThreads);
        parameters.i_width = width;
        parameters.i_height = height;
        parameters.i_csp = X264.X264_CSP_I420;
        parameters.vui_i_vidformat = H264Vui.UnspecifiedFormat;
        parameters.vui_b_fullrange = 0;
        parameters.vui_i_colorprim = H264Vui.Bt709Primaries;
        parameters.vui_i_transfer = H264Vui.SrgbTransfer;
        parameters.vui_i_colmatrix = H264Vui.Bt601Matrix;
        parameters.i_keyint_max = X264.X264_KEYINT_MAX_INFINITE;
        parameters.b_repeat_headers = 1;
        parameters.b_annexb = 1;
        parameters.i_fps_num = (uint)settings.FramesPerSecond;
        parameters.i_fps_den = 1;
        if (settings.BitsPerSecond == 0)
        {
            parameters.rc_i_rc_method = X264.X264_RC_CRF;
            parameters.rc_f_rf_constant = H264Vui.QuantizerOf(settings.Quality);
        }
        else
        {
            parameters.rc_i_rc_method = X264.X264_RC_ABR;
            parameters.rc_i_bitrate = Math.Max(1, settings.BitsPerSecond / 1000);
        }
    }

    private void Release()
    {
        if (_encoder != 0)
        {
            _library.Close(_encoder);
            _encoder = 0;
        }
    }
}
