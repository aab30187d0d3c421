using System.Runtime.InteropServices;

namespace Vgpu.Host.Codecs.Interop;

// libx264.so.164 (x264.h, X264_BUILD 164). The build is in the name of x264_encoder_open, which so vouches for the layouts.
internal sealed unsafe class X264
{
    internal const string Name = "libx264.so.164";
    internal const int X264_CSP_I420 = 2;
    internal const int X264_TYPE_AUTO = 0;
    internal const int X264_TYPE_IDR = 1;
    internal const int X264_LOG_NONE = -1;
    internal const int X264_KEYINT_MAX_INFINITE = 1 << 30;
    internal const int X264_RC_CRF = 1;
    internal const int X264_RC_ABR = 2;

    private readonly delegate* unmanaged<x264_param_t*, byte*, byte*, int> _defaultPreset;
    private readonly delegate* unmanaged<x264_param_t*, byte*, int> _applyProfile;
    private readonly delegate* unmanaged<x264_param_t*, nint> _open;
    private readonly delegate* unmanaged<nint, x264_nal_t**, int*, x264_picture_t*, x264_picture_t*, int> _encode;
    private readonly delegate* unmanaged<nint, void> _close;
    private readonly delegate* unmanaged<x264_picture_t*, void> _pictureInit;

    // Sound: the signatures are x264.h's.
    private X264(nint library)
    {
        _defaultPreset = (delegate* unmanaged<x264_param_t*, byte*, byte*, int>)NativeLibrary.GetExport(library, "x264_param_default_preset");
        _applyProfile = (delegate* unmanaged<x264_param_t*, byte*, int>)NativeLibrary.GetExport(library, "x264_param_apply_profile");
        _open = (delegate* unmanaged<x264_param_t*, nint>)NativeLibrary.GetExport(library, "x264_encoder_open_164");
        _encode = (delegate* unmanaged<nint, x264_nal_t**, int*, x264_picture_t*, x264_picture_t*, int>)NativeLibrary.GetExport(library, "x264_encoder_encode");
        _close = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "x264_encoder_close");
        _pictureInit = (delegate* unmanaged<x264_picture_t*, void>)NativeLibrary.GetExport(library, "x264_picture_init");
    }

    internal static X264? TryLoad(string name) => CodecLibrary.TryLoad(name, handle => new X264(handle));

    internal bool TryDefaults(x264_param_t* parameters, ReadOnlySpan<byte> preset, ReadOnlySpan<byte> tune)
    {
        fixed (byte* presetText = preset, tuneText = tune)
        {
            return _defaultPreset(parameters, presetText, tuneText) == 0;
        }
    }

    internal bool TryProfile(x264_param_t* parameters, ReadOnlySpan<byte> profile)
    {
        fixed (byte* text = profile)
        {
            return _applyProfile(parameters, text) == 0;
        }
    }

    internal nint Open(x264_param_t* parameters) => _open(parameters);

    internal int Encode(nint encoder, x264_nal_t** nals, int* count, x264_picture_t* source, x264_picture_t* coded) => _encode(encoder, nals, count, source, coded);

    internal void Close(nint encoder) => _close(encoder);

    internal void Initialize(x264_picture_t* picture) => _pictureInit(picture);

    // Filled by x264_param_default_preset; these are the fields that are changed then.
    [StructLayout(LayoutKind.Explicit, Size = 1024)]
    internal struct x264_param_t
    {
        [FieldOffset(4)] internal int i_threads;
        [FieldOffset(28)] internal int i_width;
        [FieldOffset(32)] internal int i_height;
        [FieldOffset(36)] internal int i_csp;
        [FieldOffset(68)] internal int vui_i_vidformat;
        [FieldOffset(72)] internal int vui_b_fullrange;
        [FieldOffset(76)] internal int vui_i_colorprim;
        [FieldOffset(80)] internal int vui_i_transfer;
        [FieldOffset(84)] internal int vui_i_colmatrix;
        [FieldOffset(100)] internal int i_keyint_max;
        [FieldOffset(528)] internal int i_log_level;
        [FieldOffset(656)] internal int rc_i_rc_method;
        [FieldOffset(676)] internal int rc_i_bitrate;
        [FieldOffset(680)] internal float rc_f_rf_constant;
        [FieldOffset(900)] internal int b_repeat_headers;
        [FieldOffset(904)] internal int b_annexb;
        [FieldOffset(920)] internal uint i_fps_num;
        [FieldOffset(924)] internal uint i_fps_den;
    }

    [StructLayout(LayoutKind.Explicit, Size = 240)]
    internal struct x264_picture_t
    {
        [FieldOffset(0)] internal int i_type;
        [FieldOffset(12)] internal int b_keyframe;
        [FieldOffset(16)] internal long i_pts;
        [FieldOffset(40)] internal int img_i_csp;
        [FieldOffset(44)] internal int img_i_plane;
        [FieldOffset(48)] internal fixed int img_i_stride[4];
        [FieldOffset(64)] internal byte* Y;
        [FieldOffset(72)] internal byte* U;
        [FieldOffset(80)] internal byte* V;
    }

    [StructLayout(LayoutKind.Explicit, Size = 40)]
    internal struct x264_nal_t
    {
        [FieldOffset(20)] internal int i_payload;
        [FieldOffset(24)] internal byte* p_payload;
    }
}
