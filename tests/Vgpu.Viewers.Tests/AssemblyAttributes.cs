// One class at a time: several count the process's descriptors and maps.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
