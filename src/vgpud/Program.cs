using Vgpu.Daemon;

// The daemon's entry. Exit status: 0 it was asked to end, 1 it could not run, 2 it was asked for wrongly.
return Arguments.Run(args, options => new Daemon(options).Run());
