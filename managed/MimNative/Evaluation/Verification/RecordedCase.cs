using System.Globalization;
using System.Text.Json;
using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Evaluation.Verification;

/// <summary>A file of recorded numbers: its settings as typed values, its tensors by name. What is missing is named.</summary>
public sealed class RecordedCase(SafetensorsFile file)
{
    /// <summary>What the file says it is; empty where it does not say.</summary>
    public string Name => file.Metadata.GetValueOrDefault("case", "");

    /// <summary>The names of all tensors.</summary>
    public IEnumerable<string> Tensors => file.Entries.Select(e => e.Name);

    /// <summary>Names of the tensors below a prefix, the prefix cut off.</summary>
    public IEnumerable<string> Below(string prefix) =>
        Tensors.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Select(n => n[prefix.Length..]);

    /// <summary>Keys of the settings.</summary>
    public IEnumerable<string> Settings => file.Metadata.Keys;

    /// <summary>Whether there is such a tensor.</summary>
    public bool Has(string tensor) => file.Contains(tensor);

    /// <summary>A tensor's numbers.</summary>
    public float[] Floats(string tensor) => file.ReadFloats(Known(tensor));

    /// <summary>A tensor's indices.</summary>
    public int[] Ints(string tensor) => file.ReadInts(Known(tensor));

    /// <summary>A tensor's bytes.</summary>
    public byte[] Bytes(string tensor) => file.ReadBytes(Known(tensor));

    /// <summary>A tensor's extents.</summary>
    public long[] Shape(string tensor) => [.. file[Known(tensor)].Shape];

    /// <summary>A tensor's extents, which must be so many.</summary>
    public long[] Shape(string tensor, int rank)
    {
        var shape = Shape(tensor);
        return shape.Length == rank
            ? shape
            : throw new InvalidFileException(
                file.Path, $"tensor '{tensor}' has {shape.Length} axes, case '{Name}' expects {rank}");
    }

    /// <summary>A tensor of f32 or i32, copied into the step.</summary>
    public Tensor Load(string tensor, Step step) => Load(tensor, step, Shape(tensor));

    /// <summary>A tensor of f32 or i32, copied into the step with other extents.</summary>
    public Tensor Load(string tensor, Step step, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(step);
        return file[Known(tensor)].Type == SafetensorsType.I32
            ? step.FromHost<int>(Ints(tensor), shape)
            : step.FromHost<float>(Floats(tensor), shape);
    }

    /// <summary>A setting as text.</summary>
    public string Text(string key) =>
        file.Metadata.TryGetValue(key, out var value)
            ? value
            : throw new InvalidFileException(file.Path, $"case '{Name}' needs the setting '{key}', which the file lacks");

    /// <summary>A setting as a number.</summary>
    public double Number(string key) =>
        double.TryParse(Text(key), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new InvalidFileException(file.Path, $"setting '{key}' is '{Text(key)}', expected a number");

    /// <summary>A setting as a number, where the file has it and it is not None.</summary>
    public double Number(string key, double otherwise) =>
        file.Metadata.GetValueOrDefault(key, "None") == "None" ? otherwise : Number(key);

    /// <summary>A setting as a whole number.</summary>
    public int Integer(string key)
    {
        var value = Number(key);
        return value == Math.Floor(value) && Math.Abs(value) <= int.MaxValue
            ? (int)value
            : throw new InvalidFileException(file.Path, $"setting '{key}' is '{Text(key)}', expected a whole number");
    }

    /// <summary>A setting as a list of numbers.</summary>
    public double[] Numbers(string key)
    {
        var list = Json(key);
        return list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(n => n.ValueKind == JsonValueKind.Number)
            ? [.. list.EnumerateArray().Select(n => n.GetDouble())]
            : throw new InvalidFileException(file.Path, $"setting '{key}' is '{Text(key)}', expected a list of numbers");
    }

    /// <summary>A setting as rows and columns: a side, or a list of both.</summary>
    public (int Rows, int Columns) Grid(string key)
    {
        var grid = Json(key);
        return grid.ValueKind == JsonValueKind.Array
            ? (grid[0].GetInt32(), grid[1].GetInt32())
            : (grid.GetInt32(), grid.GetInt32());
    }

    /// <summary>A setting as yes or no.</summary>
    public bool Flag(string key) => Text(key).ToUpperInvariant() switch
    {
        "TRUE" or "1" => true,
        "FALSE" or "0" => false,
        _ => throw new InvalidFileException(file.Path, $"setting '{key}' is '{Text(key)}', expected True or False"),
    };

    /// <summary>A setting as JSON.</summary>
    public JsonElement Json(string key)
    {
        try
        {
            using var document = JsonDocument.Parse(Text(key));
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw new InvalidFileException(file.Path, $"setting '{key}' is not JSON: {Text(key)}");
        }
    }

    /// <summary>
    /// Copies <c>{prefix}{name}</c> into every parameter of a store, which must have exactly the parameters that the file has, apart from
    /// those that <paramref name="ignores"/> names.
    /// </summary>
    public void LoadParameters(ParameterStore store, string prefix, Step step, Func<string, bool>? ignores = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(step);
        foreach (var unknown in Below(prefix).Where(n => !store.Contains(n) && ignores?.Invoke(n) != true))
        {
            throw new InvalidFileException(
                file.Path, $"tensor '{prefix}{unknown}' is no parameter of the model that its settings describe");
        }
        foreach (var parameter in store.Parameters)
        {
            var shape = Shape(prefix + parameter.Name);
            if (!shape.SequenceEqual(parameter.Shape))
            {
                throw new InvalidFileException(
                    file.Path,
                    $"tensor '{prefix}{parameter.Name}' has shape ({string.Join(", ", shape)}), the model that its settings describe " +
                    $"expects ({string.Join(", ", parameter.Shape)})");
            }
            step.Upload<float>(Floats(prefix + parameter.Name), parameter.Value);
        }
    }

    private string Known(string tensor) =>
        file.Contains(tensor)
            ? tensor
            : throw new InvalidFileException(file.Path, $"case '{Name}' needs the tensor '{tensor}', which the file lacks");
}
