using MimNative.Export;

namespace MimNative.Tests;

/// <summary>
/// The reference numbers: tests/golden in the repository, and the complete set in shared/golden beside the
/// repository where somebody has put it.
/// </summary>
internal static class Golden
{
    /// <summary>The repository's root: the folder above the tests that holds the solution.</summary>
    public static string Repository { get; } = FindRepository();

    private static IEnumerable<string> Folders =>
    [
        Path.Combine(Repository, "tests", "golden"),
        Path.Combine(Repository, "..", "shared", "golden"),
    ];

    /// <summary>The path of tests/golden/name.safetensors.</summary>
    public static string Find(string name) =>
        Folders.Select(folder => Path.Combine(folder, name + ".safetensors")).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"no golden file '{name}' in {string.Join(", ", Folders)}");

    /// <summary>Opens tests/golden/name.safetensors.</summary>
    public static SafetensorsFile Open(string name) => SafetensorsFile.Open(Find(name));

    /// <summary>The paths of all files whose name matches, each name once.</summary>
    public static IEnumerable<string> Files(string pattern = "*") =>
        Folders.Where(Directory.Exists)
            .SelectMany(folder => Directory.GetFiles(folder, pattern + ".safetensors"))
            .DistinctBy(Path.GetFileName)
            .Order(StringComparer.Ordinal);

    private static string FindRepository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "MimNative.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }
        return folder ?? throw new DirectoryNotFoundException(
            $"no folder above {AppContext.BaseDirectory} holds MimNative.sln");
    }
}
