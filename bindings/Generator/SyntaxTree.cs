using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace MimNative.Bindings;

/// <summary>A node of clang's syntax tree, reduced to what bindings need.</summary>
/// <param name="Kind">As clang names it: FunctionDecl, RecordDecl, ...</param>
/// <param name="Name">Empty where the node has none.</param>
/// <param name="File">The file it stands in, as clang was told it.</param>
/// <param name="Line">The line of its name, from 1.</param>
/// <param name="Type">Its C type, with const and stars.</param>
/// <param name="Value">The value of a constant expression; empty otherwise.</param>
/// <param name="IsDefinition">True for a struct with its fields, false for an opaque one.</param>
internal sealed record Node(
    string Kind, string Name, string File, int Line, string Type, string Value, bool IsDefinition, List<Node> Children)
{
    public IEnumerable<Node> OfKind(string kind) => Children.Where(child => child.Kind == kind);
}

/// <summary>Runs clang and reads the syntax tree that it prints as JSON.</summary>
internal sealed class SyntaxTree
{
    private const int NewestClang = 25;
    private const int OldestClang = 14;

    // clang leaves out the file and the line of a location where they are those of the location printed before it.
    private string _file = "";
    private int _line;

    public static Node Of(string root, string includes, string header)
    {
        using var json = JsonDocument.Parse(RunClang(root,
            ["-x", "c", "-std=c11", "-fsyntax-only", "-Xclang", "-ast-dump=json", $"-I{includes}", header]),
            new JsonDocumentOptions { MaxDepth = 2048 });
        return new SyntaxTree().Read(json.RootElement);
    }

    private static string RunClang(string root, string[] arguments)
    {
        var names = Enumerable.Range(OldestClang, NewestClang - OldestClang + 1).Reverse()
            .Select(version => $"clang-{version}").Prepend("clang").ToArray();
        foreach (var name in names)
        {
            var start = new ProcessStartInfo(name, arguments)
            {
                WorkingDirectory = root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            Process process;
            try
            {
                process = Process.Start(start)!;
            }
            catch (Win32Exception)
            {
                continue; // not installed under this name
            }
            using (process)
            {
                var errors = process.StandardError.ReadToEndAsync();
                var output = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                if (process.ExitCode != 0)
                    throw new GeneratorException($"{name} refused the headers:\n{errors.Result}");
                return output;
            }
        }
        throw new GeneratorException(
            $"clang was not found: tried clang and clang-{OldestClang} to clang-{NewestClang} on the PATH; install one, "
            + "for instance with apt-get install clang");
    }

    /// <summary>Reads in document order, which the locations depend on.</summary>
    private Node Read(JsonElement element)
    {
        string kind = "", name = "", type = "", value = "", file = "";
        var line = 0;
        var isDefinition = false;
        List<Node> children = [];
        foreach (var property in element.EnumerateObject())
            switch (property.Name)
            {
                case "loc":
                    Follow(property.Value);
                    (file, line) = (_file, _line);
                    break;
                case "kind":
                    kind = property.Value.GetString()!;
                    break;
                case "name":
                    name = property.Value.GetString()!;
                    break;
                case "type":
                    type = property.Value.GetProperty("qualType").GetString()!;
                    break;
                case "value" when property.Value.ValueKind == JsonValueKind.String:
                    value = property.Value.GetString()!;
                    break;
                case "completeDefinition":
                    isDefinition = property.Value.GetBoolean();
                    break;
                case "inner":
                    children.AddRange(property.Value.EnumerateArray().Select(Read));
                    break;
                default:
                    Follow(property.Value);
                    break;
            }
        return new Node(kind, name, file, line, type, value, isDefinition, children);
    }

    /// <summary>Keeps the current file and line through every location below an element.</summary>
    private void Follow(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
            foreach (var item in element.EnumerateArray())
                Follow(item);
        if (element.ValueKind != JsonValueKind.Object)
            return;
        if (element.TryGetProperty("offset", out _))
        {
            if (element.TryGetProperty("file", out var file))
                _file = file.GetString()!;
            if (element.TryGetProperty("line", out var line))
                _line = line.GetInt32();
            return;
        }
        foreach (var property in element.EnumerateObject())
            Follow(property.Value);
    }
}
