using MimNative.Export;

namespace MimNative.Tests;

/// <summary>
/// The reference numbers: tests/golden in the repository, and the complete set in shared/golden beside the repository where somebody
/// has put it.
/// </summary>
internal static class Golden
{
    /// <summary>The repository's root: the folder above the tests that holds the solution.</summary>
    public static string Repository { get; } = FindRepository();

    private static string Folder => Path.Combine(Repository, "tests", "golden");

    /// <summary>The path of tests/golden/name.safetensors.</summary>
    public static string Find(string name) =>
        Path.Combine(Folder, name + ".safetensors") is var path && File.Exists(path)
            ? path
            : throw new FileNotFoundException($"no golden file '{name}' in {Folder}");

    /// <summary>Opens tests/golden/name.safetensors.</summary>
    public static SafetensorsFile Open(string name) => SafetensorsFile.Open(Find(name));

    /// <summary>The paths of the repository's files.</summary>
    public static IEnumerable<string> Files() => Below(Folder);

    /// <summary>The paths of the complete set's files that the repository does not have.</summary>
    public static IEnumerable<string> FurtherFiles() =>
        Path.Combine(Repository, "..", "shared", "golden") is var complete && Directory.Exists(complete)
            ? Below(complete).ExceptBy(Files().Select(Path.GetFileName), Path.GetFileName)
            : [];

    private static IEnumerable<string> Below(string folder) =>
        Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal);

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
