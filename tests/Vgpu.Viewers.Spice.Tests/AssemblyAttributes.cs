// One class at a time: they share the X server programs, and the machine.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
