using System.Buffers;
using System.Text;
using System.Text.Json;

namespace MimNative.Cli.Terminal;

/// <summary>JSON on a command's output, for programs.</summary>
internal static class JsonOutput
{
    /// <summary>Prints a value, all of it or nothing: what fails on the way leaves no half of it behind.</summary>
    public static void Print(Shell shell, Action<Utf8JsonWriter> write, bool indented = true)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = indented }))
        {
            write(writer);
        }
        text.Write("\n"u8);
        shell.Output.Write(Encoding.UTF8.GetString(text.WrittenSpan));
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
