// One test at a time: the library keeps one state for the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
