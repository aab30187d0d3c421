using System.Buffers;
using System.Runtime.InteropServices;
using Vgpu.Host.Codecs.Interop;
using Vgpu.Screens;

namespace Vgpu.Host.Codecs;

// openh264: for screens, in one layer, without skipped frames, so that a picture comes out for each that goes in.
internal sealed unsafe class OpenH264Encoder : IH264Encoder
{
    private readonly OpenH264 _library;
    private readonly I420Picture _picture;
    private readonly OpenH264.SFrameBSInfo* _frame;
    private readonly double _millisecondsPerFrame;
    private OpenH264.ISVCEncoder* _encoder;
    private long _frames;

    private OpenH264Encoder(OpenH264 library, OpenH264.ISVCEncoder* encoder, I420Picture picture, int framesPerSecond)
    {
        _library = library;
        _encoder = encoder;
        _picture = picture;
        _millisecondsPerFrame = 1000.0 / framesPerSecond;
        _frame = (OpenH264.SFrameBSInfo*)NativeMemory.AllocZeroed((nuint)sizeof(OpenH264.SFrameBSInfo));
    }

    ~OpenH264Encoder() => Release();

    public int Width => _picture.SourceWidth;

    public int Height => _picture.SourceHeight;

    // Null where the library refuses the size.
    internal static OpenH264Encoder? TryCreate(OpenH264 library, int width, int height, H264Settings settings)
    {
        OpenH264.ISVCEncoder* encoder = library.Create();
        if (encoder is null)
        {
            return null;
        }

        var picture = new I420Picture(width, height);
        int quiet = OpenH264.WELS_LOG_QUIET;
        OpenH264.SEncParamExt parameters;
        // Sound: the encoder is the library's, alive until Destroy; the structs are as large as the library's own.
        _ = encoder->Vtbl->SetOption(encoder, OpenH264.ENCODER_OPTION_TRACE_LEVEL, &quiet);
        if (encoder->Vtbl->GetDefaultParams(encoder, &parameters) == 0)
        {
            Configure(ref parameters, picture.Width, picture.Height, settings);
            if (encoder->Vtbl->InitializeExt(encoder, &parameters) == 0)
            {
                return new OpenH264Encoder(library, encoder, picture, settings.FramesPerSecond);
            }
        }

        library.Destroy(encoder);
        picture.Dispose();
        return null;
    }

    public bool Encode(ReadOnlySpan<byte> bgrx, int stride, bool keyFrame, IBufferWriter<byte> annexB)
    {
        ArgumentNullException.ThrowIfNull(annexB);
        _picture.Fill(bgrx, stride);
        if (keyFrame && _frames != 0)
        {
            _ = _encoder->Vtbl->ForceIntraFrame(_encoder, 1);
        }

        var source = new OpenH264.SSourcePicture
        {
            iColorFormat = OpenH264.videoFormatI420,
            Y = _picture.Y,
            U = _picture.U,
            V = _picture.V,
            iPicWidth = _picture.Width,
            iPicHeight = _picture.Height,
            uiTimeStamp = (long)(_frames * _millisecondsPerFrame),
        };
        source.iStride[0] = _picture.LumaStride;
        source.iStride[1] = source.iStride[2] = _picture.ChromaStride;

        // Sound: the planes are of the size and strides said, and both structs outlive the call.
        int failed = _encoder->Vtbl->EncodeFrame(_encoder, &source, _frame);
        if (failed != 0 || _frame->eFrameType == OpenH264.videoFrameTypeSkip || _frame->iLayerNum is < 1 or > OpenH264.MAX_LAYER_NUM_OF_FRAME)
        {
            throw new InvalidOperationException($"openh264 made no picture of {Width}x{Height}: error {failed}, frame type {_frame->eFrameType}.");
        }

        _frames++;
        OpenH264.SLayerBSInfo* layers = &_frame->FirstLayer;
        for (int i = 0; i < _frame->iLayerNum; i++)
        {
            Append(layers[i], annexB);
        }

        GC.KeepAlive(this);
        return _frame->eFrameType == OpenH264.videoFrameTypeIDR;
    }

    public void Dispose()
    {
        Release();
        _picture.Dispose();
        GC.SuppressFinalize(this);
    }

    // Sound: the layer's NAL units lie one after the other in its buffer, until the next call of the encoder.
    private static void Append(in OpenH264.SLayerBSInfo layer, IBufferWriter<byte> annexB)
    {
        int length = 0;
        for (int i = 0; i < layer.iNalCount; i++)
        {
            length += layer.pNalLengthInByte[i];
        }

        annexB.Write(new ReadOnlySpan<byte>(layer.pBsBuf, length));
    }

    private static void Configure(ref OpenH264.SEncParamExt parameters, int width, int height, H264Settings settings)
    {
        // The rate control for screens keeps to a narrow range of quantizers, and so to no bit rate.
        parameters.iUsageType = settings is { BitsPerSecond: 0, IsFilm: false } ? OpenH264.SCREEN_CONTENT_REAL_TIME : OpenH264.CAMERA_VIDEO_REAL_TIME;
        parameters.iPicWidth = width;
        parameters.iPicHeight = height;
        parameters.fMaxFrameRate = settings.FramesPerSecond;
        parameters.iRCMode = settings.BitsPerSecond == 0 ? OpenH264.RC_OFF_MODE : OpenH264.RC_BITRATE_MODE;
        parameters.iTargetBitrate = settings.BitsPerSecond;
        parameters.iMaxBitrate = 0;
        parameters.iTemporalLayerNum = 1;
        parameters.iSpatialLayerNum = 1;
        parameters.uiIntraPeriod = 0;
        parameters.eSpsPpsIdStrategy = 0;
        parameters.iEntropyCodingModeFlag = 0;
        parameters.bEnableFrameSkip = 0;
        parameters.iMultipleThreadIdc = 1;
        parameters.bEnableDenoise = 0;
        // Looks at the picture beforehand that cost a tenth of the time, and more bytes.
        parameters.bEnableBackgroundDetection = 0;
        parameters.bEnableAdaptiveQuant = 0;
        parameters.bEnableFrameCroppingFlag = 1;
        ref OpenH264.SSpatialLayerConfig layer = ref parameters.FirstSpatialLayer;
        layer.iVideoWidth = width;
        layer.iVideoHeight = height;
        layer.fFrameRate = settings.FramesPerSecond;
        layer.iSpatialBitrate = settings.BitsPerSecond;
        layer.uiProfileIdc = OpenH264.PRO_BASELINE;
        layer.iDLayerQp = H264Vui.QuantizerOf(settings.Quality);
        layer.bVideoSignalTypePresent = 1;
        layer.uiVideoFormat = H264Vui.UnspecifiedFormat;
        layer.bFullRange = 0;
        layer.bColorDescriptionPresent = 1;
        layer.uiColorPrimaries = H264Vui.Bt709Primaries;
        layer.uiTransferCharacteristics = H264Vui.SrgbTransfer;
        layer.uiColorMatrix = H264Vui.Bt601Matrix;
    }

    private void Release()
    {
        if (_encoder is not null)
        {
            _ = _encoder->Vtbl->Uninitialize(_encoder);
            _library.Destroy(_encoder);
            NativeMemory.Free(_frame);
            _encoder = null;
        }
    }
}
