using System.Globalization;
using MimNative.Cli.Terminal;
using MimNative.Export;

namespace MimNative.Cli.Commands;

/// <summary><c>mim info FILE.safetensors</c>: the tensors of a file and what it says about itself.</summary>
internal static class InfoTensors
{
    public static void Show(Shell shell, string path, bool json)
    {
        using var file = SafetensorsFile.Open(path);
        if (json)
        {
            JsonOutput.Print(shell, writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartObject("metadata");
                foreach (var (key, value) in file.Metadata)
                {
                    writer.WriteString(key, value);
                }
                writer.WriteEndObject();
                writer.WriteStartArray("tensors");
                foreach (var entry in file.Entries)
                {
                    writer.WriteStartObject();
                    writer.WriteString("name", entry.Name);
                    writer.WriteString("dtype", entry.Type.Name());
                    writer.WriteStartArray("shape");
                    entry.Shape.ToList().ForEach(writer.WriteNumberValue);
                    writer.WriteEndArray();
                    writer.WriteEndObject();
                }
                writer.WriteEndArray();
                writer.WriteEndObject();
            });
            return;
        }
        foreach (var (key, value) in file.Metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            shell.Output.WriteLine($"{key} = {value}");
        }
        foreach (var entry in file.Entries)
        {
            shell.Output.WriteLine(entry);
        }
        var numbers = file.Entries.Sum(e => e.Count);
        shell.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file.Entries.Count} tensors, {numbers:N0} numbers"));
    }
}
