using Vgpu.Cli;
using Vgpu.Cli.Workers;

// A worker has no command line to read, and loads nothing of it.
return WorkerProgram.IsMeant(args) ? WorkerProgram.Run(args[1]) : CommandLine.Run(args);
