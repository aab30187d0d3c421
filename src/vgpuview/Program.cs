using Vgpu.View;

// The viewers' entry. Exit status: 0 the daemon ended or asked for it, 1 it could not run, 2 it was asked for wrongly.
return Arguments.Run(args, options => new ViewersProgram(options).Run());
