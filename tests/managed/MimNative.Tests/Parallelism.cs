using NUnit.Framework;

// Two fixtures at a time; the tests of one run one after the other. Contexts therefore have one thread where threads are not the subject.
// What looks at the whole process (its meters, all that it allocates, its speed) is NonParallelizable.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(2)]
