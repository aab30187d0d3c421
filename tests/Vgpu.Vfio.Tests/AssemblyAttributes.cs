using System.Runtime.Versioning;

// One test at a time: some count what is the process's, such as SIGBUS faults.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: SupportedOSPlatform("linux")]
