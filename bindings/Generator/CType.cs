using System.Globalization;

namespace MimNative.Bindings;

/// <summary>C types as C# types. Only types of fixed width and pointers: anything else does not belong in the ABI.</summary>
internal static class CType
{
    private static readonly Dictionary<string, string> Known = new()
    {
        ["void"] = "void",
        ["char"] = "byte",
        ["float"] = "float",
        ["double"] = "double",
        ["int8_t"] = "sbyte",
        ["int16_t"] = "short",
        ["int32_t"] = "int",
        ["int64_t"] = "long",
        ["uint8_t"] = "byte",
        ["uint16_t"] = "ushort",
        ["uint32_t"] = "uint",
        ["uint64_t"] = "ulong",
    };

    /// <summary>For instance "const mim_view *" to "mim_view*".</summary>
    public static string ToCSharp(string type, Node where)
    {
        var words = type.Replace("*", " * ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word is not ("const" or "struct" or "enum")).ToArray();
        var stars = words.Count(word => word == "*");
        var name = words.Length - stars == 1 ? words[0] : "";
        if (name.StartsWith("mim_", StringComparison.Ordinal) || Known.TryGetValue(name, out name!))
            return name + new string('*', stars);
        throw new GeneratorException(
            $"{where.File}:{where.Line}: {where.Name} has the C type '{type.Trim()}'; expected a fixed-width integer, float, "
            + "double, char, void, a mim_ type or a pointer to one of these");
    }

    /// <summary>For instance "int64_t[6]" to ("int64_t", 6); a length of 0 for what is no array.</summary>
    public static (string Type, int Length) SplitArray(string type)
    {
        var bracket = type.IndexOf('[', StringComparison.Ordinal);
        return bracket < 0
            ? (type, 0)
            : (type[..bracket], int.Parse(type[(bracket + 1)..^1], CultureInfo.InvariantCulture));
    }
}
