using System.Runtime.Versioning;

// One VM at a time, but for tests that start two: the machine that runs these has few cores.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: Trait("Needs", "vm")]
[assembly: SupportedOSPlatform("linux")]
