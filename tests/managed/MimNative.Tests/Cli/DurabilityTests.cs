using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>
/// What a power cut must not take: everything that gets its final name was flushed to the disk before, and the folder that names it after.
/// A library that is preloaded notes the order of both (tests/native/disk_log.c).
/// </summary>
[Platform("Linux")]
public sealed class DurabilityTests : FolderTests
{
    private static readonly string Library = Path.Combine(Golden.Repository, "build", "release", "tests", "native", "libmim_disk_log.so");

    [Test]
    public void Files_are_flushed_before_they_get_their_names_and_their_folders_after()
    {
        string log = At("log"), run = At("run");
        CommandProcess.RunIn([("LD_PRELOAD", Library), ("MIM_DISK_LOG", log)], TinyRun.Pretrain(run, "--checkpoint-every", "3", "--keep-last", "3"))
            .Succeeds();

        var flushed = new HashSet<string>();  // since the last rename to that name
        var named = new List<string>();
        var unflushed = new HashSet<string>();  // folders in which a name is new
        foreach (string[] line in File.ReadLines(log).Select(l => l.Split('\t')))
        {
            if (line[0] == "flush")
            {
                flushed.Add(line[1]);
                unflushed.Remove(line[1]);
                continue;
            }
            string from = Path.GetFullPath(line[1]), to = Path.GetFullPath(line[2]);
            if (to.EndsWith(".partial", StringComparison.Ordinal))
            {
                continue;  // on its way out
            }
            Assert.That(flushed, Does.Contain(from), $"{to} got its name");
            if (Directory.Exists(to))
            {
                foreach (string file in Directory.GetFiles(to))
                {
                    Assert.That(flushed, Does.Contain(Path.Combine(from, Path.GetFileName(file))), $"{to} got its name");
                }
            }
            flushed.RemoveWhere(path => path == from || path.StartsWith(from + "/", StringComparison.Ordinal));
            named.Add(Path.GetRelativePath(run, to));
            unflushed.Add(Path.GetDirectoryName(to)!);
        }
        Assert.That(unflushed, Is.Empty, "folders that were not flushed after something in them got its name");
        string[] expected =
            ["data.txt", "recipe.json", "checkpoints/step-000000003", "checkpoints/step-000000006", "checkpoints/step-000000009"];
        Assert.That(named, Is.SupersetOf(expected));
    }
}
