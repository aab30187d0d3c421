using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

// Each test has a daemon and its workers to itself; on few processors, two days at once are only slower.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
