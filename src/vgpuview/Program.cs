using Microsoft.Extensions.Logging;
using Vgpu.Cli;
using Vgpu.View;

// The viewers' entry. Exit status: 0 the daemon ended or asked for it, 1 it could not run, 2 it was asked for wrongly.
return args is [ShownBySpice.Word, .. string[] words]
    ? ShownBySpice.Serve(words, new ConsoleLog(Console.Error, LogLevel.Information, "vgpuview spice"))
    : Arguments.Run(args, options => new ViewersProgram(options).Run());
