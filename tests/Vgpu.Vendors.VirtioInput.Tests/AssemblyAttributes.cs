// Some tests count the process's descriptors, maps and allocations: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
