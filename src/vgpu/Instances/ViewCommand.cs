using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Vgpu.Api;

namespace Vgpu.Cli;

/// <summary><c>vgpu view</c>: where a vGPU's screen can be seen, and the browser at it.</summary>
internal static class ViewCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand("view", "Say where a vGPU's screen can be seen, or open it", "vgpu view desk", "vgpu view desk --open", "vgpu view desk --view-only");
        var open = new Option<bool>("--open") { Description = "Open the browser's console" };
        var viewOnly = new Option<bool>("--view-only") { Description = "For somebody who may look and not type: what to hand to them" };
        var json = new Option<bool>("--json") { Description = "Print it as one line of JSON" };
        command.Add(open);
        command.Add(viewOnly);
        command.Add(json);
        var daemon = new DaemonOption(command);
        Argument<string> name = daemon.Instance();
        command.Add(name);
        command.SetAction(parsed =>
        {
            using ApiClient client = daemon.Connect(parsed);
            ViewerAddresses found = client.Viewers(parsed.GetValue(name)!);
            if (parsed.GetValue(viewOnly))
            {
                found = ToLook(found);
            }

            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(found, ApiJson.Viewers));
            }
            else
            {
                Print(found);
            }

            if (parsed.GetValue(open))
            {
                Open(found.Web ?? throw new IOException("there is no browser's console for you; take one of the other addresses"));
            }

            return 0;
        });
        return command;
    }

    // No Unix socket: who may open one may type. No SPICE: its password knows no such difference.
    private static ViewerAddresses ToLook(ViewerAddresses found)
    {
        var seen = new ViewerAddresses
        {
            Web = found.WebViewOnly,
            Vnc = found.VncViewOnlyPassword is null ? null : found.Vnc,
            VncPassword = found.VncViewOnlyPassword,
        };
        return seen is { Web: null, Vnc: null } ? throw new IOException("there is no address for you at which one can look and not type") : seen;
    }

    private static void Print(ViewerAddresses found)
    {
        foreach ((string viewer, string? address, string? password) in (ReadOnlySpan<(string, string?, string?)>)
        [
            ("browser", found.Web, null),
            ("vnc", found.Vnc, found.VncPassword),
            ("vnc", found.VncSocket, null),
            ("spice", found.Spice, found.SpicePassword),
            ("spice", found.SpiceSocket, null),
        ])
        {
            if (address is not null)
            {
                Console.WriteLine($"{viewer,-9}{address}{(password is null ? string.Empty : $"  password {password}")}");
            }
        }
    }

    // xdg-open(1) knows the desktop's browser; it ends at once.
    private static void Open(string uri)
    {
        try
        {
            using Process? browser = Process.Start(new ProcessStartInfo("xdg-open", [uri]) { UseShellExecute = false });
            browser?.WaitForExit();
        }
        catch (Win32Exception)
        {
            throw new IOException("there is no xdg-open here; open the address above in a browser");
        }
    }
}
