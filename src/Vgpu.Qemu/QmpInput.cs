// Keys and the pointer over QMP (input-send-event in QEMU's qapi/ui.json), for a guest that has no driver for the input devices
// beside its vGPU yet: firmware, a boot loader. QEMU gives them to what it emulates itself: a PS/2 keyboard, which q35 has, and
// where there is one an absolute pointer such as usb-tablet.
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;
using static Vgpu.Qemu.QmpInputEvents;

namespace Vgpu.Qemu;

/// <summary>
/// Types into a VM through its QMP socket. What is sent waits in a bounded queue for a thread that alone talks to QEMU: places of
/// the pointer are lost first, a release of what QEMU was told is pressed never, and nobody waits for a QEMU that does not
/// answer. QEMU serves one QMP connection at a time, so it is connected to when there is something to say, and left after a
/// moment. What QEMU answers is not trusted.
/// </summary>
public sealed partial class QmpInput : IInputSink, IDisposable
{
    private const int MostAtOnce = 64;
    private const int LongestReason = 256;
    private const int IdleMilliseconds = 2000;
    private const int RetryMilliseconds = 1000;
    private const long ComplaintMilliseconds = 60_000;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly ILogger _log;
    private readonly Bell _bell = new();
    private readonly InputQueue _queue;
    private readonly Thread _thread;
    private readonly InputEvent[] _moment = new InputEvent[MostAtOnce];

    // What is down, and what QEMU was told is.
    private readonly HashSet<(InputKind Kind, ushort Code)> _down = [];
    private readonly HashSet<(InputKind Kind, ushort Code)> _told = [];
    private QmpClient? _qmp;
    private long _complainAgain = long.MinValue;
    private volatile bool _ending;

    /// <param name="path">The VM's QMP socket (<c>-qmp unix:PATH,server=on,wait=off</c>), whether it is there yet or not.</param>
    /// <param name="log">One line where it does not work.</param>
    public QmpInput(string path, ILogger log)
    {
        (SocketPath, _log) = (path, log);
        _queue = new InputQueue(_bell);
        _thread = new Thread(Run) { Name = "qmp input", IsBackground = true };
        _thread.Start();
    }

    public string SocketPath { get; }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<InputEvent> events) => _queue.Send(events);

    /// <summary>What was sent before is typed still where QEMU answers at once.</summary>
    public void Dispose()
    {
        _ending = true;
        _bell.Ring();
        if (!_thread.Join(s_patience))
        {
            // It is made to wait by who answers.
            Volatile.Read(ref _qmp)?.Dispose();
            _thread.Join();
        }

        _bell.Dispose();
    }

    private bool OwesReleases => _told.Count > 0 && !_told.IsSubsetOf(_down);

    private void Run()
    {
        while (true)
        {
            int count = _queue.Take(_moment);
            if (count > 0)
            {
                Note(_moment.AsSpan(0, count));
            }

            bool done = count == 0 && !OwesReleases;
            bool works = done || TrySay(_moment.AsSpan(0, count));
            if (_ending && (done || !works))
            {
                _qmp?.Dispose();
                return;
            }

            if (!works)
            {
                // Nothing is typed later that was meant for now; releases alone are owed.
                Forget();
            }

            if (!works || done)
            {
                Rest(works);
            }
        }
    }

    private void Forget()
    {
        for (int count; (count = _queue.Take(_moment)) > 0;)
        {
            Note(_moment.AsSpan(0, count));
        }
    }

    // Until there is something to do.
    private void Rest(bool works)
    {
        bool isRung = _bell.Wait(!works && OwesReleases ? RetryMilliseconds : _qmp is null ? -1 : IdleMilliseconds);
        _bell.Take();
        if (!isRung && _qmp is not null)
        {
            // Others may want to talk to QEMU.
            Leave();
        }
    }

    private void Note(ReadOnlySpan<InputEvent> events)
    {
        foreach (ref readonly InputEvent happened in events)
        {
            if (happened.Kind is InputKind.Key or InputKind.Button)
            {
                _ = happened.Value == 1 ? _down.Add((happened.Kind, happened.Code)) : _down.Remove((happened.Kind, happened.Code));
            }
        }
    }

    // False: QEMU does not hear.
    private bool TrySay(ReadOnlySpan<InputEvent> events)
    {
        try
        {
            _qmp ??= QmpClient.Connect(SocketPath, s_patience);
            foreach (ref readonly InputEvent happened in events)
            {
                Say(happened);
            }

            foreach ((InputKind kind, ushort code) in _told.Except(_down).ToArray())
            {
                Say(new InputEvent(kind, 0, code, 0, 0, 0));
            }

            return true;
        }
        catch (Exception e) when (e is IOException or SocketException or ArgumentException)
        {
            Leave();
            Complain(e.Message);
            return false;
        }
    }

    private void Say(in InputEvent happened)
    {
        bool holds = happened.Kind is InputKind.Key or InputKind.Button;
        if (holds && happened.Value == 0 && !_told.Contains((happened.Kind, happened.Code)))
        {
            return;
        }

        object[] events = Of(happened);
        if (events.Length == 0)
        {
            return;
        }

        // From here on it may have heard.
        if (holds && happened.Value == 1)
        {
            _told.Add((happened.Kind, happened.Code));
        }

        try
        {
            _ = _qmp!.Execute("input-send-event", new Dictionary<string, object> { ["events"] = events });
        }
        catch (QmpException e)
        {
            // It hears, and has nothing that this could go to, such as an absolute pointer.
            Complain(e.Message);
        }

        if (holds && happened.Value == 0)
        {
            _told.Remove((happened.Kind, happened.Code));
        }
    }

    private void Leave()
    {
        _qmp?.Dispose();
        _qmp = null;
    }

    private void Complain(string why)
    {
        long now = Environment.TickCount64;
        if (now >= _complainAgain)
        {
            _complainAgain = now + ComplaintMilliseconds;
            LogFailure(_log, PlainJson.ToText(why.Length <= LongestReason ? why : why[..LongestReason]), SocketPath);
        }
    }

    [LoggerMessage(LogLevel.Warning, "keys and pointer do not reach the VM, whose guest drives no input device of the vGPU yet, by QMP: {Why}; start QEMU with '-qmp unix:{Path},server=on,wait=off', and for the pointer with a usb-tablet")]
    private static partial void LogFailure(ILogger log, string why, string path);
}
