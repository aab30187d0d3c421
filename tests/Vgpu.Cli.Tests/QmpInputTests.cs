using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Screens.InputEvent;

namespace Vgpu.Cli.Tests;

/// <summary>Keys and pointer typed into a VM over QMP, and what answers there by no means to be trusted.</summary>
public sealed class QmpInputTests : IDisposable
{
    private const ushort KeyA = 30;
    private const ushort KeyEnter = 28;
    private const string PressA = """{"type":"key","data":{"down":true,"key":{"type":"qcode","data":"a"}}}""";
    private const string ReleaseA = """{"type":"key","data":{"down":false,"key":{"type":"qcode","data":"a"}}}""";

    private readonly Folder _folder = new();
    private readonly ListLogger _log = new();

    public static TheoryData<string, string?> Strangers => new()
    {
        { "220 mail.example.org ESMTP\r\n", QmpPeer.Done },
        { "[]\n", QmpPeer.Done },
        { "\n", QmpPeer.Done },
        { "{\"QMP\": " + new string('[', 5000) + "\n", QmpPeer.Done },
        { new string('x', 3 << 20), QmpPeer.Done },
        { QmpPeer.Greeting, null },
        { QmpPeer.Greeting, "\"return\"\n" },
        { QmpPeer.Greeting, "{\"return\"\n" },
        { QmpPeer.Greeting, "{\"error\": 7}\n" },
        { QmpPeer.Greeting, "{\"error\": {\"desc\": [\"\\u001b[31m\"]}}\n" },
        { QmpPeer.Greeting, string.Concat(Enumerable.Repeat("{\"event\": 5}\n{\"event\": \"RESET\"}\n{}\n", 5000)) },
    };

    private string Path => _folder["qmp"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Keys_buttons_places_and_wheels_are_told_in_QEMU_s_words()
    {
        using var peer = new QmpPeer(Path, answer: line => """{"event": "RTC_CHANGE", "data": {}, "timestamp": {}}""" + "\r\n" + QmpPeer.Done);
        using var input = new QmpInput(Path, _log);

        input.Send([Key(KeyA, true)]);
        input.Send([Key(KeyA, false)]);
        input.Send([new InputEvent(InputKind.Pointer, 0, 0, 0, 0, MaxPlace), Button(0x110, true)]);
        input.Send([Button(0x110, false), Scroll(0, -240)]);
        input.Send([Key(700, true), Key(KeyEnter, false), Touch(0, 0, true, 1, 1, 2, 2)]);
        input.Send([Key(KeyEnter, true)]);

        Assert.Equal(
            [
                PressA,
                ReleaseA,
                """{"type":"abs","data":{"axis":"x","value":0}},{"type":"abs","data":{"axis":"y","value":32767}}""",
                """{"type":"btn","data":{"down":true,"button":"left"}}""",
                """{"type":"btn","data":{"down":false,"button":"left"}}""",
                string.Join(',', Enumerable.Repeat("""{"type":"btn","data":{"down":true,"button":"wheel-down"}},{"type":"btn","data":{"down":false,"button":"wheel-down"}}""", 2)),
                PressA.Replace("\"a\"", "\"ret\"", StringComparison.Ordinal),
            ],
            peer.WaitFor(7));
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [MemberData(nameof(Strangers))]
    public void Who_is_no_QMP_costs_one_line(string greeting, string? answer)
    {
        using var peer = new QmpPeer(Path, greeting, _ => answer);
        using var input = new QmpInput(Path, _log);
        for (int i = 0; i < 2000; i++)
        {
            input.Send([Key(KeyA, i % 2 == 0), Pointer(0, i, i, 2000, 2000)]);
        }

        string line = _log.WaitFor("do not reach the VM");
        input.Send([Key(KeyA, true)]);
        input.Send([Key(KeyA, false)]);

        Assert.Contains($"start QEMU with '-qmp unix:{Path},server=on,wait=off'", line, StringComparison.Ordinal);
        Assert.InRange(line.Length, 1, 700);
        Assert.DoesNotContain(line, char.IsControl);
        Assert.Single(_log.Lines);
    }

    [Fact]
    public void A_release_is_owed_until_QEMU_hears_it()
    {
        using var input = new QmpInput(Path, _log);
        using (var first = new QmpPeer(Path, answer: line => line.Contains("input-send-event", StringComparison.Ordinal) ? null : QmpPeer.Done))
        {
            input.Send([Key(KeyA, true)]);
            Assert.Equal([PressA], first.WaitFor(1));
            _log.WaitFor("do not reach the VM");
        }

        input.Send([Key(KeyA, false)]);

        // Nobody may listen until now; it asks again by itself.
        using var second = new QmpPeer(Path);
        Assert.Equal(ReleaseA, second.WaitFor(1)[0]);
    }

    [Fact]
    public void An_end_does_not_wait_for_who_does_not_answer()
    {
        using var peer = new QmpPeer(Path, answer: line => line.Contains("input-send-event", StringComparison.Ordinal) ? string.Empty : QmpPeer.Done);
        var input = new QmpInput(Path, _log);
        for (int i = 0; i < 1000; i++)
        {
            input.Send([Key(KeyA, i % 2 == 0)]);
        }

        peer.WaitFor(1);
        input.Dispose();
        input.Send([Key(KeyA, true)]);
    }
}
