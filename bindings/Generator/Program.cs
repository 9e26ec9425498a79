// Writes the C# bindings and the table of struct layouts from the C headers. The output is checked in.
//   Generator            writes what changed
//   Generator --check    writes nothing, lists what is stale, exits 1 where anything is
namespace MimNative.Bindings;

internal static class Program
{
    private const string Headers = "native/include/mim";
    private const string Bindings = "bindings/MimNative.Interop/Generated";
    private const string Layouts = "native/core/abi_layout.inc";

    private static int Main(string[] arguments)
    {
        var check = arguments is ["--check"];
        if (arguments.Length > 0 && !check)
        {
            Console.Error.WriteLine($"usage: Generator [--check], not '{string.Join(' ', arguments)}'");
            return 2;
        }
        try
        {
            var root = FindRoot();
            var wanted = Generate(root);
            var stale = Stale(root, wanted);
            if (!check)
                Write(root, wanted, stale);
            foreach (var path in stale)
                Console.WriteLine(check ? $"stale: {path}" : $"updated: {path}");
            if (check && stale.Count > 0)
                Console.WriteLine("The headers have changed: build the target 'bindings' and commit what it writes.");
            return check && stale.Count > 0 ? 1 : 0;
        }
        catch (GeneratorException error)
        {
            Console.Error.WriteLine(error.Message);
            return 2;
        }
    }

    /// <summary>Every generated file: path below the repository, with forward slashes, and text.</summary>
    private static SortedDictionary<string, string> Generate(string root)
    {
        var contract = Contract.Read(SyntaxTree.Of(root, "native/include", $"{Headers}/mim.h"), root, Headers);
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [Layouts] = LayoutTable.Write(contract),
            [$"{Bindings}/Abi.g.cs"] = AbiFile.Write(contract),
        };
        foreach (var header in contract.Headers)
            files[$"{Bindings}/{BindingFile.Name(header)}.g.cs"] = BindingFile.Write(header);
        return files;
    }

    private static List<string> Stale(string root, SortedDictionary<string, string> wanted)
    {
        var stale = wanted.Where(file => !File.Exists(Path.Combine(root, file.Key))
                || File.ReadAllText(Path.Combine(root, file.Key)).ReplaceLineEndings("\n") != file.Value)
            .Select(file => file.Key).ToList();
        if (Directory.Exists(Path.Combine(root, Bindings)))
            stale.AddRange(Directory.EnumerateFiles(Path.Combine(root, Bindings))
                .Select(path => $"{Bindings}/{Path.GetFileName(path)}").Where(path => !wanted.ContainsKey(path)));
        stale.Sort(StringComparer.Ordinal);
        return stale;
    }

    /// <summary>Writes the stale files; one that no header asks for any more is deleted.</summary>
    private static void Write(string root, SortedDictionary<string, string> wanted, List<string> stale)
    {
        Directory.CreateDirectory(Path.Combine(root, Bindings));
        foreach (var path in stale)
            if (wanted.TryGetValue(path, out var text))
                File.WriteAllText(Path.Combine(root, path), text);
            else
                File.Delete(Path.Combine(root, path));
    }

    private static string FindRoot()
    {
        foreach (var start in new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory })
            for (var folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
                if (File.Exists(Path.Combine(folder, Headers, "mim.h")))
                    return folder;
        throw new GeneratorException($"{Headers}/mim.h was not found above {Directory.GetCurrentDirectory()}");
    }
}

/// <summary>A failure to tell the user about in one sentence.</summary>
internal sealed class GeneratorException(string message) : Exception(message);
