using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Recipes;

/// <summary>
/// Which keys a recipe has and what each may hold, taken from the records themselves: a new property of a record
/// is a new key, and nothing else has to be told. Keys are dotted: train.batch.
/// </summary>
internal static class RecipeSchema
{
    private static readonly Dictionary<Type, string[]> Choices = new()
    {
        [typeof(MethodKind)] = Names<MethodKind>(),
        [typeof(EncoderKind)] = Names<EncoderKind>(),
        [typeof(PositionKind)] = Names<PositionKind>(),
        [typeof(RelativePositionKind)] = Names<RelativePositionKind>(),
        [typeof(DecoderKind)] = Names<DecoderKind>(),
        [typeof(MaskKind)] = Names<MaskKind>(),
        [typeof(MaskTokenKind)] = Names<MaskTokenKind>(),
        [typeof(TargetKind)] = Names<TargetKind>(),
        [typeof(LowPassMode)] = Names<LowPassMode>(),
        [typeof(LossKind)] = Names<LossKind>(),
        [typeof(LossPixels)] = Names<LossPixels>(),
        [typeof(TransformKind)] = Names<TransformKind>(),
        [typeof(Interpolation)] = Names<Interpolation>(),
        [typeof(ScheduleKind)] = Names<ScheduleKind>(),
        [typeof(Precision)] = Names<Precision>(),
    };

    private static readonly Dictionary<string, Type> Types = new(StringComparer.Ordinal);
    private static readonly Dictionary<string, List<string>> Children = new(StringComparer.Ordinal);

    static RecipeSchema() => AddSection("", RecipeJson.Default.Recipe);

    /// <summary>All keys that hold a value, in the order of the records.</summary>
    public static IEnumerable<string> Keys => Types.Keys;

    /// <summary>Whether a key is a section such as train; "" is the whole recipe.</summary>
    public static bool IsSection(string key) => Children.ContainsKey(key);

    /// <summary>Whether a key holds a value.</summary>
    public static bool IsValue(string key) => Types.ContainsKey(key);

    /// <summary>The keys of a section, values and sections.</summary>
    public static IReadOnlyList<string> KeysOf(string section) => Children[section];

    /// <summary>Whether a key holds a text, which needs no quotes on a command line.</summary>
    public static bool IsText(string key) =>
        Types[key] == typeof(string) || Choices.ContainsKey(Types[key]);

    /// <summary>The key without its sections.</summary>
    public static string LastPart(string key) => key[(key.LastIndexOf('.') + 1)..];

    /// <summary>What a key may hold, in words that follow "should be".</summary>
    public static string Expected(string key) => Types[key] switch
    {
        var type when Choices.TryGetValue(type, out string[]? names) => $"one of {string.Join(", ", names)}",
        var type when type == typeof(string) => "a text",
        var type when type == typeof(int) || type == typeof(ulong) => "a whole number",
        var type when type == typeof(double) => "a number",
        var type when type == typeof(bool) => "true or false",
        var type when type == typeof(IReadOnlyList<int>) => "a list of whole numbers",
        var type when type == typeof(IReadOnlyList<string>) => "a list of texts",
        _ => "a list of numbers",
    };

    /// <summary>Whether a value is of the key's type and can be represented by it.</summary>
    public static bool Accepts(string key, JsonElement value)
    {
        Type type = Types[key];
        if (Choices.TryGetValue(type, out string[]? names))
        {
            return Text(value) is { } text && names.Contains(text, StringComparer.Ordinal);
        }
        return value.ValueKind switch
        {
            JsonValueKind.String => type == typeof(string) && Text(value) is not null,
            JsonValueKind.Number => type == typeof(int) ? value.TryGetInt32(out _)
                : type == typeof(ulong) ? value.TryGetUInt64(out _)
                : type == typeof(double) && IsFinite(value),
            JsonValueKind.True or JsonValueKind.False => type == typeof(bool),
            JsonValueKind.Array => IsElement(type) is { } accepts && value.EnumerateArray().All(accepts),
            _ => false,
        };
    }

    private static void AddSection(string section, JsonTypeInfo info)
    {
        var children = new List<string>();
        Children.Add(section, children);
        foreach (JsonPropertyInfo property in info.Properties)
        {
            string key = section.Length == 0 ? property.Name : $"{section}.{property.Name}";
            children.Add(key);
            JsonTypeInfo value = RecipeJson.Default.GetTypeInfo(property.PropertyType)!;
            if (value.Kind == JsonTypeInfoKind.Object)
            {
                AddSection(key, value);
            }
            else
            {
                Types.Add(key, property.PropertyType);
            }
        }
    }

    /// <summary>What an element of a list must be; null where the key holds no list.</summary>
    private static Func<JsonElement, bool>? IsElement(Type list) =>
        list == typeof(IReadOnlyList<double>) ? e => e.ValueKind == JsonValueKind.Number && IsFinite(e)
        : list == typeof(IReadOnlyList<int>) ? e => e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out _)
        : list == typeof(IReadOnlyList<string>) ? e => Text(e) is not null
        : null;

    private static bool IsFinite(JsonElement number) =>
        number.TryGetDouble(out double value) && double.IsFinite(value);

    /// <summary>A string's text, or null for anything else, half a surrogate pair included.</summary>
    private static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return null;
        }
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string[] Names<T>() where T : struct, Enum =>
    [
        .. Enum.GetValues<T>().Select(value => JsonSerializer.SerializeToElement(
            value, RecipeJson.Default.GetTypeInfo(typeof(T))!).GetString()!)
    ];
}
