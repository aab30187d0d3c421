using Vgpu.Cli;

// The program's entry: nothing of the command line's parser is loaded before it is known that there is one to parse.
return CommandLine.Run(args);
