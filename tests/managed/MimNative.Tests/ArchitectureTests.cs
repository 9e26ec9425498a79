using System.Text.RegularExpressions;
using NUnit.Framework;

namespace MimNative.Tests;

/// <summary>The walls of docs/architecture.md, checked in the source text of both sides.</summary>
public sealed partial class ArchitectureTests
{
    // Who may see whom, itself apart. Only what is here may: a wall is moved here and in docs/architecture.md.
    private static readonly Dictionary<string, string[]> Floors = new()
    {
        ["Runtime"] = ["Interop"],
        ["Ops"] = ["Interop", "Runtime"],
        ["Nn"] = ["Runtime", "Ops"],
        ["Masking"] = ["Runtime", "Ops"],
        ["Targets"] = ["Runtime", "Ops"],
        ["Data"] = ["Runtime", "Ops", "Recipes"],
        ["Export"] = ["Runtime", "Ops"],
        ["Recipes"] = ["Runtime", "Ops", "Nn", "Masking"],
        ["Encoders"] = ["Runtime", "Ops", "Nn", "Masking"],
        ["Methods"] = ["Runtime", "Ops", "Nn", "Masking", "Targets", "Recipes", "Encoders"],
        ["Training"] = ["Runtime", "Ops", "Nn", "Masking", "Targets", "Recipes", "Encoders", "Methods", "Data", "Export"],
        ["Evaluation"] = ["Runtime", "Ops", "Nn", "Masking", "Targets", "Recipes", "Encoders", "Methods", "Data", "Export", "Training"],
    };

    private static readonly Dictionary<string, string[]> NativeFloors = new()
    {
        ["include"] = ["mim"],
        ["core"] = ["mim", "core"],
        ["cpu"] = ["mim", "core", "cpu", "hwy"],
        ["cuda"] = ["mim", "core", "cuda", "simt"],  // simt: the emulator, in the place of cuda/nvidia.h
        ["image"] = ["mim", "core", "image", "hwy"],
    };

    [Test]
    public void A_floor_of_the_library_uses_only_those_below_it()
    {
        var broken = new List<string>();
        var seen = new HashSet<string>();
        foreach (var (name, text) in Sources("managed/MimNative", "*.cs"))
        {
            var floor = name.Split('/')[2];
            Assert.That(Floors, Contains.Key(floor), $"{name} is on no floor");
            seen.Add(floor);
            foreach (var other in Mentioned(text).Where(o => o != floor && !Floors[floor].Contains(o)))
            {
                broken.Add($"{name} uses {other}");
            }
        }
        Assert.That(broken, Is.Empty);
        Assert.That(seen, Is.EquivalentTo(Floors.Keys));
    }

    [Test]
    public void Only_interop_runtime_and_ops_are_unsafe_or_name_a_native_function()
    {
        var found = Sources("managed", "*.cs").Where(s => NativeWords().IsMatch(s.Text)).Select(s => s.Name).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(found, Has.All.StartWith("managed/MimNative/Runtime/").Or.StartWith("managed/MimNative/Ops/"));
            Assert.That(found, Contains.Item("managed/MimNative/Ops/Ops.Linear.cs"));
        }
    }

    [Test]
    public void Only_the_shell_names_the_console() =>
        Assert.That(
            Sources("managed", "*.cs").Where(s => ConsoleName().IsMatch(s.Text)).Select(s => s.Name),
            Is.EqualTo(new[] { "managed/MimNative.Cli/Terminal/Shell.cs" }));

    [Test]
    public void A_floor_of_the_native_library_includes_only_those_below_it()
    {
        var broken = new List<string>();
        var count = 0;
        foreach (var (name, text) in Sources("native", "*.*").Where(s => NativeFile().IsMatch(s.Name)))
        {
            var floor = name.Split('/')[1];
            Assert.That(NativeFloors, Contains.Key(floor), $"{name} is on no floor");
            foreach (Match include in Include().Matches(text))
            {
                count++;
                if (!NativeFloors[floor].Contains(include.Groups[1].Value.Split('/')[0]))
                {
                    broken.Add($"{name} includes {include.Groups[1].Value}");
                }
            }
        }
        Assert.That(broken, Is.Empty);
        Assert.That(count, Is.GreaterThan(100));
    }

    [TestCase("using MimNative.Training;", "Training")]
    [TestCase("using Recipe = MimNative.Recipes.Recipe;", "Recipes")]
    [TestCase("var x = Training.Model.Create();", "Training")]
    [TestCase("global::MimNative.Methods.Mae.Of(this)", "Methods")]
    [TestCase("// Training.Model is above", null)]
    [TestCase("recipe.Training.Epochs", null)]
    public void A_floor_is_found_in_code_and_not_in_comments(string line, string? floor) =>
        Assert.That(Mentioned(WithoutComments(line)), floor is null ? Is.Empty : Is.EqualTo(new[] { floor }));

    private static IEnumerable<string> Mentioned(string text) =>
        FloorName().Matches(text).Select(m => m.Groups[1].Value).Where(n => n is "Cli" or "Interop" || Floors.ContainsKey(n)).Distinct();

    private static IEnumerable<(string Name, string Text)> Sources(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Golden.Repository, folder), pattern, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Golden.Repository, path).Replace('\\', '/'))
            .Where(name => !name.Contains("/obj/", StringComparison.Ordinal) && !name.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => (name, WithoutComments(File.ReadAllText(Path.Combine(Golden.Repository, name)))));

    private static string WithoutComments(string text) => Comment().Replace(text, "");

    // "//" inside a string (an address) follows a colon.
    [GeneratedRegex(@"(?<!:)//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    // A namespace in a using, or in front of a type's name; not the member of something.
    [GeneratedRegex(@"(?:\bMimNative\.|(?<![\w.]))([A-Z][a-z]+)(?:\.[A-Z]\w*|;)")]
    private static partial Regex FloorName();

    [GeneratedRegex(@"\b(unsafe|mim_\w+)\b")]
    private static partial Regex NativeWords();

    // The class, not the namespace Spectre.Console.
    [GeneratedRegex(@"(?<![\w.])(System\.)?(Ansi)?Console\.")]
    private static partial Regex ConsoleName();

    [GeneratedRegex(@"\.(h|cpp|inc|cu)$")]
    private static partial Regex NativeFile();

    [GeneratedRegex(@"^[ \t]*#[ \t]*include[ \t]+""([^""]+)""", RegexOptions.Multiline)]
    private static partial Regex Include();
}
