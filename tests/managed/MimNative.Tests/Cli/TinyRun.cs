using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>A dozen small pictures, a recipe that a step of takes milliseconds, and a finished run; made once for all tests here.</summary>
[SetUpFixture]
public sealed class TinyRun
{
    /// <summary>A JPEG of 24 x 16 pixels.</summary>
    public static readonly byte[] Jpeg = Convert.FromBase64String("""
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxO
        UlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P
        T09PT09PT0//wAARCAAQABgDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABgAE/8QAFxAAAwEAAAAAAAAAAAAAAAAAAAMF
        Yv/EABYBAQEBAAAAAAAAAAAAAAAAAAYEBf/EABoRAAIDAQEAAAAAAAAAAAAAAAAEBSExIgP/2gAMAwEAAhEDEQA/ADK5+TSufkRL
        n5NS5+TXkXdshQkMsOLn5IWLn5IFMO9i7wkONP/Z
        """);

    /// <summary>
    /// The recipe's text: images of 32 x 32 in 16 patches, in f32 on every processor, whatever auto would be there.
    /// </summary>
    public const string Recipe = """
        {
          "name": "tiny",
          "image": { "height": 32, "width": 32 },
          "encoder": { "patch": 8, "dim": 32, "depth": 1, "heads": 2 },
          "decoder": { "dim": 16, "depth": 1, "heads": 1 },
          "train": { "epochs": 3, "batch": 4, "base_lr": 0.05, "warmup_epochs": 1, "precision": "f32" }
        }
        """;

    private static string _folder = "";

    /// <summary>The recipe's text without the sizes of a plain transformer that the encoder of these settings does not know.</summary>
    public static string RecipeFor(IEnumerable<string> settings) =>
        settings.Contains("encoder.kind=swin") ? Recipe.Replace(", \"depth\": 1, \"heads\": 2", "", StringComparison.Ordinal)
        : settings.Contains("encoder.kind=conv_vit") ? Recipe.Replace(", \"dim\": 32, \"depth\": 1", "", StringComparison.Ordinal)
        : Recipe;

    /// <summary>Twelve good pictures; not to be changed.</summary>
    public static string Pictures => Path.Combine(_folder, "pictures");

    /// <summary>The recipe's file.</summary>
    public static string RecipeFile => Path.Combine(_folder, "tiny.json");

    /// <summary>A run of nine steps with the checkpoints of steps 6 and 9; not to be changed.</summary>
    public static string Run => Path.Combine(_folder, "run");

    /// <summary>One of the good pictures.</summary>
    public static string Picture => Path.Combine(Pictures, "00.png");

    [OneTimeSetUp]
    public void Make()
    {
        _folder = Directory.CreateTempSubdirectory("mim-test-").FullName;
        DrawPictures(Pictures);
        File.WriteAllText(RecipeFile, Recipe);
        CommandLine.Run(Pretrain(Run)).Succeeds();
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    /// <summary>The arguments of a new run of the recipe on the good pictures; later ones win over earlier ones.</summary>
    public static string[] Pretrain(string output, params string[] more) => PretrainOn(Pictures, output, more);

    /// <summary>The arguments of a new run of the recipe on other pictures.</summary>
    public static string[] PretrainOn(string data, string output, params string[] more) =>
        ["pretrain", "--recipe", RecipeFile, "--data", data, "--out", output, "--threads", "1", "--workers", "1", .. more];

    /// <summary>The arguments that go on with a run.</summary>
    public static string[] Resume(string run, params string[] more) =>
        ["pretrain", "--resume", run, "--threads", "1", "--workers", "1", .. more];

    /// <summary>Ten drawn PNGs and two JPEGs.</summary>
    public static void DrawPictures(string folder)
    {
        Directory.CreateDirectory(folder);
        using var shapes = new ShapesSource(10, 40, 48, seed: 1);
        for (int i = 0; i < shapes.Count; ++i)
        {
            File.WriteAllBytes(Path.Combine(folder, $"{i:D2}.png"), shapes.ReadBytes(i, new ByteBuffer()));
        }
        File.WriteAllBytes(Path.Combine(folder, "10.jpg"), Jpeg);
        File.WriteAllBytes(Path.Combine(folder, "11.JPEG"), Jpeg);
    }

    /// <summary>A copy of the finished run, to be damaged.</summary>
    public static string CopyRun(string to) => Copy(Run, to);

    /// <summary>A copy of a folder with all that is in it.</summary>
    public static string Copy(string from, string to)
    {
        foreach (string folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories).Prepend(from))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        }
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        }
        return to;
    }

    /// <summary>The files of a run's checkpoint.</summary>
    public static string InCheckpoint(string run, long step, string file) =>
        Path.Combine(run, "checkpoints", $"step-{step:D9}", file);
}
