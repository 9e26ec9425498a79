using System.Runtime.InteropServices;

namespace MimNative.Runtime;

/// <summary>One file that the loader tried.</summary>
/// <param name="Path">The file, or a bare name where the system was asked to search.</param>
/// <param name="Origin">Why it was tried.</param>
/// <param name="IsLoaded">Whether it is the library in use.</param>
/// <param name="Outcome">"loaded", or the reason why not.</param>
public sealed record NativeLibraryAttempt(string Path, string Origin, bool IsLoaded, string Outcome);

/// <summary>Where libmim may lie, and the walk over these places.</summary>
internal static class NativeLibrarySearch
{
    internal readonly record struct Place(string Path, string Origin);

    public static string FileName { get; } =
        OperatingSystem.IsWindows() ? "mim.dll" : OperatingSystem.IsMacOS() ? "libmim.dylib" : "libmim.so";

    /// <summary>This platform's portable runtime identifier, which names a folder of native files in packages.</summary>
    public static string Platform { get; } =
        (OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx"
            : RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal) ? "linux-musl" : "linux")
        + "-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    /// <summary>The files to try, in order. A place that was asked for by name is the only one.</summary>
    public static List<Place> Places(string? variable, string? searchDirectory, string baseDirectory)
    {
        if (!string.IsNullOrEmpty(variable))
            return [new(Directory.Exists(variable) ? In(variable) : Path.GetFullPath(variable),
                NativeLibraryLoader.EnvironmentVariable)];
        if (searchDirectory is not null)
            return [new(In(searchDirectory), nameof(NativeLibraryLoader.SearchDirectory))];

        List<Place> places =
        [
            new(In(baseDirectory), "the application's folder"),
            new(In(Path.Combine(baseDirectory, "runtimes", Platform, "native")), "the application's native assets"),
        ];
        if (SourceTree(baseDirectory) is { } root)
            places.Add(new(In(Path.Combine(root, "build", "release", "native")), "the source tree's build"));
        places.Add(new(FileName, "the system's search"));
        return places;
    }

    /// <summary>Loads the first file that is there; 0 where none is, or where that one does not load or fit.</summary>
    public static nint Load(IEnumerable<Place> places, out NativeLibraryAttempt[] attempts)
    {
        List<NativeLibraryAttempt> tried = [];
        nint library = 0;
        foreach (var place in places)
        {
            var isAbsent = Path.IsPathRooted(place.Path) && !File.Exists(place.Path);
            var outcome = isAbsent ? "no such file" : TryLoad(place.Path, out library);
            tried.Add(new(place.Path, place.Origin, library != 0, outcome));
            if (!isAbsent)
                break;
        }
        attempts = [.. tried];
        return library;
    }

    public static string FailureMessage(IReadOnlyList<NativeLibraryAttempt> attempts) =>
        $"The native library of MimNative could not be loaded. Tried:\n{Lines(attempts)}\n"
        + $"Build libmim, or set {NativeLibraryLoader.EnvironmentVariable} to the file or its folder.";

    public static string Lines(IEnumerable<NativeLibraryAttempt> attempts) => string.Join('\n',
        attempts.Select(attempt => $"  {attempt.Path} ({attempt.Origin}): {attempt.Outcome}"));

    private static string TryLoad(string path, out nint library)
    {
        library = 0;
        try
        {
            var loaded = NativeLibrary.Load(path);
            if (AbiHandshake.Difference(loaded) is { } difference)
                return difference;
            library = loaded;
            return "loaded";
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            return Reason(error.Message);
        }
    }

    /// <summary>The system's own words: on Unix they follow, line by line, a general paragraph of the runtime.</summary>
    private static string Reason(string message)
    {
        var lines = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join("; ", lines.Length > 1 ? lines[1..] : lines);
    }

    /// <summary>The nearest folder above that is this project's source tree.</summary>
    private static string? SourceTree(string folder)
    {
        for (var above = Path.GetFullPath(folder); above is not null; above = Path.GetDirectoryName(above))
            if (File.Exists(Path.Combine(above, "native", "include", "mim", "mim.h")))
                return above;
        return null;
    }

    private static string In(string folder) => Path.Combine(Path.GetFullPath(folder), FileName);
}
