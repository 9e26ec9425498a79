using System.Globalization;
using System.Text.Json;
using MimNative.Cli.Terminal;
using MimNative.Data;
using MimNative.Evaluation.Coverage;
using MimNative.Evaluation.Objects;
using MimNative.Export;
using MimNative.Methods;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;
using Spectre.Console;

namespace MimNative.Cli.Commands;

/// <summary>Measures the objects of a source of pictures, and shows what it found.</summary>
internal sealed class CoverageJob : IDisposable
{
    private readonly ByteBuffer _buffer = new();
    private readonly ParameterStore _store = new();
    private readonly Recipe _recipe;
    private readonly IMethod _method;
    private readonly (string Name, ITransform Transform)[] _crops;
    private readonly CoverageStudy _study;
    private readonly int _draws;
    private readonly long _seed;

    public CoverageJob(Recipe recipe, int draws, long seed)
    {
        (_recipe, _draws, _seed) = (recipe, draws, seed);
        _method = Catalog.Create(_store.Root, recipe);  // for its masks: no weight is allocated
        _crops =
        [
            ("RRC", Transforms.Create(recipe, TransformKind.RandomResizedCrop)),
            ("SRC", Transforms.Create(recipe, TransformKind.SimpleResizedCrop)),
            ("CC", Transforms.Create(recipe, TransformKind.CenterCrop)),
        ];
        _study = new CoverageStudy(
            [.. _crops.Select(c => c.Transform)], _method.Grid, key => _method.SampleHidden(key), draws, seed);
    }

    public required Shell Shell { get; init; }

    public required IImageSource Source { get; init; }

    public required IPictureObjects Objects { get; init; }

    /// <summary>Where the objects are from, as the user says it.</summary>
    public required string Where { get; init; }

    public required string? Output { get; init; }

    public required int Rows { get; init; }

    public required bool Json { get; init; }

    public void Dispose() => _store.Dispose();

    public int Run()
    {
        Source.Warnings.ToList().ForEach(warning => Shell.Error.WriteLine($"warning    {warning}"));
        var measured = Measure();
        if (Output is not null)
        {
            WriteSheet(measured);
        }
        if (Json)
        {
            JsonOutput.Print(Shell, WriteJson);
            return ExitCode.Ok;
        }
        var table = Tables.New("crop", "before masking", "after masking", "after / before");
        for (var i = 0; i < _crops.Length; i++)
        {
            var result = _study.Result(i);
            table.AddRow(
                _crops[i].Name, Percent(result.Before, result.BeforeError), Percent(result.After, result.AfterError),
                Percent(result.Ratio, result.RatioError));
        }
        Tables.Print(Shell, table);
        Shell.Output.WriteLine(Invariant(
            $"{_study.Objects} objects in {_study.Pictures} of {Source.Count} pictures, {_draws} draws each, means with standard errors"));
        Shell.Output.WriteLine(Invariant(
            $"masks of {_recipe.Name}: {_study.Visible * 100:0.00} % of {_method.Grid.Rows} x {_method.Grid.Columns} patches visible"));
        foreach (var note in Objects.Notes)
        {
            Shell.Output.WriteLine(note);
        }
        if (Output is not null)
        {
            Shell.Output.WriteLine(Output);
        }
        return ExitCode.Ok;
    }

    // The numbers of the pictures that turned out to have objects.
    private List<int> Measure()
    {
        var measured = new List<int>();
        foreach (var picture in Objects.Pictures)
        {
            var info = Read(picture, bytes => Ops.ReadImageInfo(bytes));
            if (Objects.Read(picture, info.Height, info.Width) is { Count: > 0 } objects)
            {
                _study.Add(picture, info.Height, info.Width, objects);
                measured.Add(picture);
            }
        }
        return measured.Count > 0
            ? measured
            : throw new InvalidFileException(Where, $"has no object in any of the {Source.Count} pictures");
    }

    private void WriteSheet(List<int> measured)
    {
        using var sheet = new CoverageSheet(_crops, _method.Grid, _study);
        var rows = Math.Min(Rows, measured.Count);
        for (var i = 0; i < rows; i++)
        {
            var sample = measured[(int)((long)i * measured.Count / rows)];
            using var picture = Read(sample, bytes => Image.Decode(bytes));
            sheet.Add(sample, picture, Objects.Read(sample, picture.Height, picture.Width));
        }
        using var drawn = sheet.Draw(Invariant(
            $"share of the object in the crop, and in the {_study.Visible * 100:0} % of patches that are not masked"));
        Pictures.Write(Output!, drawn);
    }

    private T Read<T>(int picture, Func<ReadOnlySpan<byte>, T> read)
    {
        try
        {
            return read(Source.ReadBytes(picture, _buffer));
        }
        catch (MimException e) when (e.Status is MimStatus.CorruptData or MimStatus.InvalidArgument or MimStatus.Unsupported)
        {
            throw new InvalidFileException($"the picture '{Source.Name(picture)}' cannot be decoded: {e.Message}", e);
        }
    }

    private void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("recipe", _recipe.Name);
        writer.WriteNumber("height", _method.Grid.Height);
        writer.WriteNumber("width", _method.Grid.Width);
        writer.WriteNumber("patch", _method.Grid.Patch);
        writer.WriteNumber("seed", _seed);
        writer.WriteNumber("draws", _draws);
        writer.WriteNumber("pictures", Source.Count);
        writer.WriteNumber("pictures_with_objects", _study.Pictures);
        writer.WriteNumber("objects", _study.Objects);
        writer.WriteNumber("visible_patches", _study.Visible);
        writer.WriteStartArray("notes");
        Objects.Notes.ToList().ForEach(writer.WriteStringValue);
        writer.WriteEndArray();
        writer.WriteStartArray("crops");
        for (var i = 0; i < _crops.Length; i++)
        {
            var result = _study.Result(i);
            writer.WriteStartObject();
            writer.WriteString("crop", _crops[i].Name);
            JsonOutput.WriteNumber(writer, "before", result.Before);
            JsonOutput.WriteNumber(writer, "before_error", result.BeforeError);
            JsonOutput.WriteNumber(writer, "after", result.After);
            JsonOutput.WriteNumber(writer, "after_error", result.AfterError);
            JsonOutput.WriteNumber(writer, "after_over_before", result.Ratio);
            JsonOutput.WriteNumber(writer, "after_over_before_error", result.RatioError);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteString("sheet", Output);
        writer.WriteEndObject();
    }

    private static string Percent(double share, double error) =>
        double.IsNaN(share) ? "nothing"
        : double.IsNaN(error) ? Invariant($"{share * 100:0.00} %")
        : Invariant($"{share * 100:0.00} % ± {error * 100:0.00}");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
