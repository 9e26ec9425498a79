using System.Buffers;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MimNative.Runtime;

namespace MimNative.Recipes;

/// <summary>One key in which two recipes differ; the values as JSON.</summary>
public readonly record struct RecipeDifference(string Key, string Default, string Value);

public sealed partial record Recipe
{
    private const string ResourcePrefix = "recipes/", Extension = ".json";
    private const long LongestFile = 1 << 20;

    private static readonly Assembly Resources = typeof(Recipe).Assembly;

    /// <summary>The names of the recipes that come with the library.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Resources.GetManifestResourceNames()
            .Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            .Select(name => name[ResourcePrefix.Length..^Extension.Length])
            .Order(StringComparer.Ordinal)
    ];

    /// <summary>Reads a recipe that comes with the library, or a file, and applies settings to it.</summary>
    /// <param name="nameOrPath">One of <see cref="Names"/>, or the path of a recipe file.</param>
    /// <param name="settings">Settings of the form train.batch=256, applied last.</param>
    /// <exception cref="RecipeException">Something in it is wrong.</exception>
    public static Recipe Load(string nameOrPath, IEnumerable<string>? settings = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrPath);
        (byte[] json, string stem) = Read(nameOrPath, folder: "", askedBy: "");
        string? folder = Names.Contains(nameOrPath) ? null : Path.GetDirectoryName(nameOrPath);
        return Build(RecipeLayer.Parse(json, nameOrPath), nameOrPath, folder, stem, settings ?? []);
    }

    /// <summary>
    /// Reads a recipe from its text, for example the one stored in a checkpoint; <paramref name="source"/> names
    /// it in errors.
    /// </summary>
    /// <exception cref="RecipeException">Something in it is wrong.</exception>
    public static Recipe FromJson(string json, string source, IEnumerable<string>? settings = null) =>
        Build(RecipeLayer.Parse(Encoding.UTF8.GetBytes(json), source), source, null, "", settings ?? []);

    /// <summary>The complete recipe, every key with its value.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, RecipeJson.Default.Recipe);

    /// <summary>
    /// A hash of everything that decides a run's result: two recipes that differ only in name or description
    /// have the same.
    /// </summary>
    public string Hash()
    {
        Recipe nameless = this with { Name = "", Description = "" };
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(nameless.ToJson())));
    }

    /// <summary>Where this recipe differs from what is published for its method and encoder.</summary>
    public IReadOnlyList<RecipeDifference> Differences() => Differences(DefaultsOf(Method, Encoder.Kind));

    /// <summary>Where this recipe differs from another, name and description apart.</summary>
    public IReadOnlyList<RecipeDifference> Differences(Recipe other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Dictionary<string, JsonElement> mine = Flat(this), others = Flat(other);
        return
        [
            .. from key in RecipeSchema.Keys
               where key is not ("name" or "description")
               let theirs = OneLine(others[key])
               let value = OneLine(mine[key])
               where theirs != value
               select new RecipeDifference(key, theirs, value)
        ];
    }

    /// <summary>The value of a key that holds a text or a choice.</summary>
    internal string Text(string key) => Flat(this)[key].GetString()!;

    private static Recipe Build(
        RecipeLayer file, string source, string? folder, string stem, IEnumerable<string> settings)
    {
        var layers = new List<RecipeLayer>();
        if (file.Extends is { } extended)
        {
            (byte[] json, _) = Read(extended, folder, $"{source}: extends: ");
            RecipeLayer below = RecipeLayer.Parse(json, extended);
            if (below.Extends is { } deeper)
            {
                throw new RecipeException($"{source}: extends '{extended}', which itself extends '{deeper}'; "
                    + "a recipe can extend only one that stands on its own.");
            }
            below.Values.Remove("name");
            below.Values.Remove("description");
            layers.Add(below);
        }
        layers.Add(file);
        layers.Add(RecipeLayer.OfSettings(settings));
        // What the layers leave open is the default of the method and the encoder that they name.
        var method = Choice(layers, "method", MethodKind.Mae);
        var defaults = DefaultsOf(method, Choice(layers, "encoder.kind", EncoderKind.Vit)) with { Method = method, Name = stem };
        Dictionary<string, JsonElement> values = Flat(defaults);
        layers.ForEach(layer => Apply(values, layer));
        Recipe recipe = JsonSerializer.Deserialize(Nested(values), RecipeJson.Default.Recipe)!;
        RecipeCheck.Check(recipe, source);
        return recipe;
    }

    private static (byte[] Json, string Stem) Read(string nameOrPath, string? folder, string askedBy)
    {
        if (Names.Contains(nameOrPath))
        {
            using Stream stream =
                Resources.GetManifestResourceStream(ResourcePrefix + nameOrPath + Extension)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return (bytes, nameOrPath);
        }
        string path = Path.Combine(folder ?? "", nameOrPath);
        try
        {
            if (folder is null || !File.Exists(path))
            {
                bool isPath = nameOrPath.EndsWith(Extension, StringComparison.OrdinalIgnoreCase)
                    || nameOrPath.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal);
                throw new RecipeException(askedBy + (isPath
                    ? $"there is no recipe file '{path}'."
                    : $"there is no recipe '{nameOrPath}' among {string.Join(", ", Names)}"
                        + NearestName.Question(nameOrPath, Names)));
            }
            if (new FileInfo(path).Length > LongestFile)
            {
                throw new RecipeException($"{askedBy}{path} should be a recipe of at most {LongestFile} bytes, "
                    + $"but has {new FileInfo(path).Length}.");
            }
            return (File.ReadAllBytes(path), Path.GetFileNameWithoutExtension(path));
        }
        catch (Exception failure) when (DiskFailure.Is(failure))
        {
            throw new RecipeException(
                $"{askedBy}{path} cannot be read: {failure.Message.TrimEnd('.')}.", failure);
        }
    }

    private static T Choice<T>(List<RecipeLayer> layers, string key, T otherwise) where T : struct, Enum =>
        layers.LastOrDefault(layer => layer.Values.ContainsKey(key)) is { } layer
            ? (T)layer.Values[key].Deserialize(RecipeJson.Default.GetTypeInfo(typeof(T))!)!
            : otherwise;

    private static void Apply(Dictionary<string, JsonElement> values, RecipeLayer layer)
    {
        foreach ((string key, JsonElement value) in layer.Values)
        {
            values[key] = value;
        }
    }

    private static Dictionary<string, JsonElement> Flat(Recipe recipe) =>
        RecipeLayer.Parse(Encoding.UTF8.GetBytes(recipe.ToJson()), recipe.Name).Values;

    /// <summary>The JSON of a complete set of values.</summary>
    private static ReadOnlySpan<byte> Nested(Dictionary<string, JsonElement> values)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            WriteSection(json, "", values);
        }
        return buffer.WrittenSpan;
    }

    private static void WriteSection(
        Utf8JsonWriter json, string section, Dictionary<string, JsonElement> values)
    {
        json.WriteStartObject();
        foreach (string key in RecipeSchema.KeysOf(section))
        {
            json.WritePropertyName(RecipeSchema.LastPart(key));
            if (RecipeSchema.IsSection(key))
            {
                WriteSection(json, key, values);
            }
            else
            {
                values[key].WriteTo(json);
            }
        }
        json.WriteEndObject();
    }

    private static string OneLine(JsonElement value) => value.ValueKind == JsonValueKind.Array
        ? $"[{string.Join(", ", value.EnumerateArray().Select(e => e.GetRawText()))}]"
        : value.GetRawText();
}
