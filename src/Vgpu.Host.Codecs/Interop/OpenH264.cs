using System.Runtime.InteropServices;

namespace Vgpu.Host.Codecs.Interop;

// libopenh264.so.7, openh264 2.3 (codec_api.h): an encoder is a pointer to a pointer to a table of functions. The structs
// are those of that soname, and no other is loaded, as 8 has others.
internal sealed unsafe class OpenH264
{
    internal const string Name = "libopenh264.so.7";
    internal const int CAMERA_VIDEO_REAL_TIME = 0;
    internal const int SCREEN_CONTENT_REAL_TIME = 1;
    internal const int RC_OFF_MODE = -1;
    internal const int RC_BITRATE_MODE = 1;
    internal const int PRO_BASELINE = 66;
    internal const int videoFormatI420 = 23;
    internal const int videoFrameTypeIDR = 1;
    internal const int videoFrameTypeSkip = 4;
    internal const int ENCODER_OPTION_TRACE_LEVEL = 25;
    internal const int WELS_LOG_QUIET = 0;
    internal const int MAX_LAYER_NUM_OF_FRAME = 128;

    private readonly delegate* unmanaged<ISVCEncoder**, int> _create;
    private readonly delegate* unmanaged<ISVCEncoder*, void> _destroy;

    // Sound: the signatures are codec_api.h's.
    private OpenH264(nint library)
    {
        _create = (delegate* unmanaged<ISVCEncoder**, int>)NativeLibrary.GetExport(library, "WelsCreateSVCEncoder");
        _destroy = (delegate* unmanaged<ISVCEncoder*, void>)NativeLibrary.GetExport(library, "WelsDestroySVCEncoder");
    }

    internal static OpenH264? TryLoad(string name) => CodecLibrary.TryLoad(name, handle => new OpenH264(handle));

    internal ISVCEncoder* Create()
    {
        ISVCEncoder* encoder = null;
        return _create(&encoder) == 0 ? encoder : null;
    }

    internal void Destroy(ISVCEncoder* encoder) => _destroy(encoder);

    internal struct ISVCEncoder
    {
        internal ISVCEncoderVtbl* Vtbl;
    }

    // The order is the header's.
    internal struct ISVCEncoderVtbl
    {
        internal delegate* unmanaged<ISVCEncoder*, void*, int> Initialize;
        internal delegate* unmanaged<ISVCEncoder*, SEncParamExt*, int> InitializeExt;
        internal delegate* unmanaged<ISVCEncoder*, SEncParamExt*, int> GetDefaultParams;
        internal delegate* unmanaged<ISVCEncoder*, int> Uninitialize;
        internal delegate* unmanaged<ISVCEncoder*, SSourcePicture*, SFrameBSInfo*, int> EncodeFrame;
        internal delegate* unmanaged<ISVCEncoder*, SFrameBSInfo*, int> EncodeParameterSets;
        internal delegate* unmanaged<ISVCEncoder*, byte, int> ForceIntraFrame;
        internal delegate* unmanaged<ISVCEncoder*, int, void*, int> SetOption;
        internal delegate* unmanaged<ISVCEncoder*, int, void*, int> GetOption;
    }

    [StructLayout(LayoutKind.Explicit, Size = 200)]
    internal struct SSpatialLayerConfig
    {
        [FieldOffset(0)] internal int iVideoWidth;
        [FieldOffset(4)] internal int iVideoHeight;
        [FieldOffset(8)] internal float fFrameRate;
        [FieldOffset(12)] internal int iSpatialBitrate;
        [FieldOffset(16)] internal int iMaxSpatialBitrate;
        [FieldOffset(20)] internal int uiProfileIdc;
        [FieldOffset(28)] internal int iDLayerQp;
        [FieldOffset(184)] internal byte bVideoSignalTypePresent;
        [FieldOffset(185)] internal byte uiVideoFormat;
        [FieldOffset(186)] internal byte bFullRange;
        [FieldOffset(187)] internal byte bColorDescriptionPresent;
        [FieldOffset(188)] internal byte uiColorPrimaries;
        [FieldOffset(189)] internal byte uiTransferCharacteristics;
        [FieldOffset(190)] internal byte uiColorMatrix;
    }

    // Filled by GetDefaultParams; these are the fields that are changed then.
    [StructLayout(LayoutKind.Explicit, Size = 920)]
    internal struct SEncParamExt
    {
        [FieldOffset(0)] internal int iUsageType;
        [FieldOffset(4)] internal int iPicWidth;
        [FieldOffset(8)] internal int iPicHeight;
        [FieldOffset(12)] internal int iTargetBitrate;
        [FieldOffset(16)] internal int iRCMode;
        [FieldOffset(20)] internal float fMaxFrameRate;
        [FieldOffset(24)] internal int iTemporalLayerNum;
        [FieldOffset(28)] internal int iSpatialLayerNum;
        [FieldOffset(32)] internal SSpatialLayerConfig FirstSpatialLayer;
        [FieldOffset(836)] internal uint uiIntraPeriod;
        [FieldOffset(844)] internal int eSpsPpsIdStrategy;
        [FieldOffset(856)] internal int iEntropyCodingModeFlag;
        [FieldOffset(860)] internal byte bEnableFrameSkip;
        [FieldOffset(864)] internal int iMaxBitrate;
        [FieldOffset(892)] internal ushort iMultipleThreadIdc;
        [FieldOffset(908)] internal byte bEnableDenoise;
        [FieldOffset(909)] internal byte bEnableBackgroundDetection;
        [FieldOffset(910)] internal byte bEnableAdaptiveQuant;
        [FieldOffset(911)] internal byte bEnableFrameCroppingFlag;
    }

    [StructLayout(LayoutKind.Explicit, Size = 72)]
    internal struct SSourcePicture
    {
        [FieldOffset(0)] internal int iColorFormat;
        [FieldOffset(4)] internal fixed int iStride[4];
        [FieldOffset(24)] internal byte* Y;
        [FieldOffset(32)] internal byte* U;
        [FieldOffset(40)] internal byte* V;
        [FieldOffset(56)] internal int iPicWidth;
        [FieldOffset(60)] internal int iPicHeight;
        [FieldOffset(64)] internal long uiTimeStamp;
    }

    [StructLayout(LayoutKind.Explicit, Size = 40)]
    internal struct SLayerBSInfo
    {
        [FieldOffset(16)] internal int iNalCount;
        [FieldOffset(24)] internal int* pNalLengthInByte;
        [FieldOffset(32)] internal byte* pBsBuf;
    }

    [StructLayout(LayoutKind.Explicit, Size = 5144)]
    internal struct SFrameBSInfo
    {
        [FieldOffset(0)] internal int iLayerNum;
        [FieldOffset(8)] internal SLayerBSInfo FirstLayer;
        [FieldOffset(5128)] internal int eFrameType;
        [FieldOffset(5132)] internal int iFrameSizeInBytes;
    }
}
