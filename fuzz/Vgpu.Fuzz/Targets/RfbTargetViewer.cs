using System.Collections;
using Vgpu.Screens;
using Vgpu.Viewers.Rfb;

namespace Vgpu.Fuzz.Targets;

/// <summary>Does with a viewer's messages what a session does, without a socket and without time.</summary>
internal sealed class RfbTargetViewer : IClientMessages, IInputSink, IDisposable
{
    private static readonly Rect s_bounds = new(0, 0, 1024, 768);

    private readonly Screen _screen = new(1, new DisplayMode(1024, 768));
    private readonly ViewerState _state = new();
    private readonly PendingChanges _changes = new();
    private readonly Pacing _pacing = new();
    private readonly ViewerInput _input;
    private readonly OutputBuffer _output = new();
    private readonly List<Move> _moves = [];
    private readonly List<Rect> _rects = [];
    private readonly BitArray _pressed = new(InputEvent.MaxCode + 1);
    private bool _isFence;

    internal RfbTargetViewer()
    {
        _screen.Input = this;
        _input = new ViewerInput(_screen, 0);
    }

    public void Send(ReadOnlySpan<InputEvent> events)
    {
        foreach (InputEvent happened in events)
        {
            FindingException.Require(happened.IsValid, $"{happened} is no event");
            if (happened.Kind is InputKind.Key or InputKind.Button)
            {
                FindingException.Require(_pressed[happened.Code] != (happened.Value != 0), $"{happened} again");
                _pressed[happened.Code] = happened.Value != 0;
            }
        }
    }

    public void SetPixelFormat(RfbPixelFormat format)
    {
        _state.SetFormat(format);
        Span<byte> bytes = stackalloc byte[32];
        var made = new ViewerFormat(format);
        made.Plain.Pack([0xffffffff, 0xff123456], bytes);
        made.Compact.Pack([0xffffffff, 0xff123456], bytes);
        made.Tight.Pack([0xffffffff, 0xff123456], bytes);
    }

    public void SetEncodings(ReadOnlySpan<int> encodings) => _state.SetEncodings(encodings);

    public void RequestUpdate(bool incremental, Rect rect)
    {
        if (!incremental)
        {
            _changes.Add(rect.Intersect(s_bounds));
        }

        _state.Request(incremental, rect);
        Update();
    }

    public void Key(uint keysym, bool isDown) => _input.Key(keysym, isDown);

    public void ExtendedKey(uint keysym, uint scancode, bool isDown) => _input.Scancode(scancode, keysym, isDown);

    public void Pointer(byte buttons, int x, int y) => _input.Pointer(buttons, x, y, s_bounds.Width, s_bounds.Height);

    public void EnableContinuousUpdates(bool enable, Rect rect) => _state.SetContinuous(enable, rect);

    public void Fence(uint flags, ReadOnlySpan<byte> payload)
    {
        if ((flags & RfbProtocol.FenceRequest) == 0)
        {
            _pacing.Acknowledge(flags, 0);
            return;
        }

        _state.AnswerFence(flags, payload);
        _isFence = true;
    }

    public void SetDesktopSize(int width, int height, ReadOnlySpan<Rect> screens) => _state.AnswerResize(RfbProtocol.ReasonThisClient, (ushort)screens.Length);

    public void MessageDone()
    {
        if (!_isFence)
        {
            _state.FlushFence();
        }

        _isFence = false;
    }

    internal void Leave()
    {
        _input.ReleaseAll();
        FindingException.Require(!_pressed.HasAnySet(), "something is still pressed");
    }

    public void Dispose()
    {
        _state.Dispose();
        _output.Dispose();
    }

    private void Update()
    {
        _output.Clear();
        _rects.Clear();
        _moves.Clear();
        _changes.Changed([new Move(new Rect(10, 10, 500, 300), 20, 0)], [new Rect(10, 310, 500, 20)]);
        ViewerTurn turn = _state.Take(_output);
        FindingException.Require(_output.Length < 16_384, "answers pile up");
        var damage = new List<Rect>();
        _changes.Take(turn.Wanted.Intersect(s_bounds), turn.Encodings.CopyRect, default, _moves, damage);
        foreach (Rect rect in damage)
        {
            RectCutting.Cut(rect, s_bounds with { Width = 900 }, (256, 256), _rects);
        }

        FindingException.Require(damage.Sum(rect => rect.Area) == _rects.Sum(rect => rect.Area), "pieces are not the whole");
        FindingException.Require(_rects.TrueForAll(s_bounds.Contains), "a piece outside of the screen");
        _state.Answered();
    }
}
