using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.BenchDevice;
using Vgpu.VfioUser;

// Serves the bench device at a socket until it is ended: Vgpu.BenchDevice SOCKET
if (args.Length != 1)
{
    Console.Error.WriteLine("usage: Vgpu.BenchDevice SOCKET");
    return 2;
}

using var ended = new ManualResetEventSlim();
using var device = new WireBenchDevice();
using var server = new VfioUserServer(args[0], device, NullLogger.Instance);
using var signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    ended.Set();
});
server.Start();
ended.Wait();
return 0;
