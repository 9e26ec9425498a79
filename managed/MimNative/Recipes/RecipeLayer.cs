using System.Text.Json;
using System.Text.Unicode;
using MimNative.Runtime;

namespace MimNative.Recipes;

/// <summary>
/// The values that one source gives: the defaults, a file, the settings of a command line. A recipe is
/// several of them on top of each other.
/// </summary>
internal sealed class RecipeLayer
{
    private const int LongestValueShown = 60;

    private static readonly JsonDocumentOptions Options =
        new() { CommentHandling = JsonCommentHandling.Skip };

    private readonly string _source;

    private RecipeLayer(string source) => _source = source;

    /// <summary>Dotted keys and their values, each of the key's type.</summary>
    public Dictionary<string, JsonElement> Values { get; } = new(StringComparer.Ordinal);

    /// <summary>The recipe that a file says it extends.</summary>
    public string? Extends { get; private set; }

    /// <summary>Reads a recipe file's text; <paramref name="source"/> names it in errors.</summary>
    public static RecipeLayer Parse(ReadOnlySpan<byte> json, string source)
    {
        if (json.StartsWith("\uFEFF"u8))
        {
            json = json[3..];  // the mark that some editors put in front of UTF-8
        }
        if (!Utf8.IsValid(json))
        {
            throw new RecipeException($"{source}: the file is not valid UTF-8.");
        }
        var layer = new RecipeLayer(source);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.ToArray(), Options);
            layer.AddSection("", document.RootElement);
        }
        catch (JsonException failure)
        {
            throw new RecipeException(
                $"{source}: the file is not valid JSON: {failure.Message.TrimEnd('.')}.", failure);
        }
        return layer;
    }

    /// <summary>Reads settings of the form train.batch=256; the last one wins.</summary>
    public static RecipeLayer OfSettings(IEnumerable<string> settings)
    {
        var all = new RecipeLayer("settings");
        foreach (string setting in settings)
        {
            var one = new RecipeLayer($"--set {setting}");
            one.AddSetting(setting);
            foreach ((string key, JsonElement value) in one.Values)
            {
                all.Values[key] = value;
            }
        }
        return all;
    }

    private void AddSection(string section, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw Invalid(section.Length == 0
                ? $"a recipe should be a JSON object, but is {Shown(value)}."
                : $"{section} should be an object, but is {Shown(value)}.");
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonProperty property in value.EnumerateObject())
        {
            string name = NameOf(property);
            string key = section.Length == 0 ? name : $"{section}.{name}";
            if (!seen.Add(key))
            {
                throw Invalid($"{key} is given twice.");
            }
            if (key == "extends")
            {
                Extends = property.Value.ValueKind == JsonValueKind.String
                    && RecipeSchema.Accepts("name", property.Value)
                        ? property.Value.GetString()
                        : throw Invalid($"extends should be a recipe's name or path, "
                            + $"but is {Shown(property.Value)}.");
            }
            else if (section != key && RecipeSchema.IsSection(key))
            {
                AddSection(key, property.Value);
            }
            else
            {
                AddValue(key, property.Value);
            }
        }
    }

    private void AddSetting(string setting)
    {
        int equals = setting.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1)
        {
            throw Invalid("a setting should have the form key=value, for example train.batch=256.");
        }
        string key = setting[..equals].Trim(), value = setting[(equals + 1)..].Trim();
        if (RecipeSchema.IsSection(key))
        {
            throw Invalid($"{key} is a section; a setting should name one of its keys, "
                + $"for example {RecipeSchema.KeysOf(key)[0]}.");
        }
        RequireKnown(key);
        AddValue(key, RecipeSchema.IsText(key) ? Quoted(value) : Parsed(key, value));
    }

    private void AddValue(string key, JsonElement value)
    {
        RequireKnown(key);
        if (!RecipeSchema.Accepts(key, value))
        {
            throw Invalid($"{key} should be {RecipeSchema.Expected(key)}, but is {Shown(value)}.");
        }
        Values[key] = value.Clone();
    }

    private void RequireKnown(string key)
    {
        if (RecipeSchema.IsValue(key))
        {
            return;
        }
        // "batch" on its own is nearer to train.batch than its letters tell
        string? sameEnd = RecipeSchema.Keys.FirstOrDefault(
            known => RecipeSchema.LastPart(known) == RecipeSchema.LastPart(key));
        throw Invalid($"there is no key '{key}'" + (sameEnd is null
            ? NearestName.Question(key, RecipeSchema.Keys)
            : $"; did you mean '{sameEnd}'?"));
    }

    private string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException failure)
        {
            throw new RecipeException($"{_source}: a key is not valid Unicode.", failure);
        }
    }

    private JsonElement Parsed(string key, string value)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(value);
            return document.RootElement.Clone();
        }
        catch (JsonException failure)
        {
            throw new RecipeException(
                $"{_source}: {key} should be {RecipeSchema.Expected(key)}, but is '{value}'.", failure);
        }
    }

    private static JsonElement Quoted(string text) =>
        JsonSerializer.SerializeToElement(text, RecipeJson.Default.GetTypeInfo(typeof(string))!);

    private static string Shown(JsonElement value)
    {
        string text = string.Join(' ', value.GetRawText().Split(
            (char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length <= LongestValueShown ? text : text[..LongestValueShown] + "...";
    }

    private RecipeException Invalid(string problem) => new($"{_source}: {problem}");
}
