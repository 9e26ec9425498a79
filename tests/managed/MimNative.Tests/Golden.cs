using MimNative.Export;

namespace MimNative.Tests;

/// <summary>The reference numbers: tests/golden in the repository.</summary>
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

    /// <summary>The paths of all files.</summary>
    public static IEnumerable<string> Files() => Directory.GetFiles(Folder, "*.safetensors").Order(StringComparer.Ordinal);

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
