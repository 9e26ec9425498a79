using System.Text.Json;

namespace MimNative.Cli.Terminal;

/// <summary>JSON on standard output, for programs.</summary>
internal static class JsonOutput
{
    public static void Print(Action<Utf8JsonWriter> write, bool indented = true)
    {
        using var output = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = indented }))
        {
            write(writer);
        }
        output.Write("\n"u8);
    }

    /// <summary>A number; null where it is not finite, which JSON cannot say.</summary>
    public static void WriteNumber(Utf8JsonWriter writer, string name, double value)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumber(name, value);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
