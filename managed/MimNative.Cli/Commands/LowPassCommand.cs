using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MimNative.Cli.Terminal;
using MimNative.Evaluation;
using MimNative.Recipes;
using MimNative.Runtime;
using Spectre.Console;

namespace MimNative.Cli.Commands;

/// <summary><c>mim lowpass</c>: PixMIM's targets of pictures for a list of bandwidths, as one sheet and as numbers.</summary>
internal static class LowPassCommand
{
    private const int MostPictures = 8, MostRadii = 12;

    public static Command Create(Shell shell)
    {
        var images = CommonOptions.Images();
        var radii = new Option<double[]>("--r")
        {
            Description = "bandwidths in frequency bins, separated by commas; PixMIM has 40 at 224 pixels",
            DefaultValueFactory = _ => [10, 20, 40, 80],
            CustomParser = result => CommonOptions.Numbers(result, "--r", "bandwidths", 0, 1e6, MostRadii),
        };
        var size = CommonOptions.Whole("--size", "side in pixels that the middle of a picture is resized to", 8, 1024, otherwise: 224);
        var mode = CommonOptions.Choice(
            "--mode", "exact: the disc of the published code, half a bin off frequency 0; symmetric: the disc around it",
            ("exact", LowPassMode.Exact), ("symmetric", LowPassMode.Symmetric));
        var gain = CommonOptions.Whole("--gain", "factor on the differences that are drawn", 1, 255, otherwise: 4);
        var output = new Option<string>("--out") { Description = "the sheet to write", DefaultValueFactory = _ => "lowpass.png" };
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new Command("lowpass", "Draws low-pass targets: picture, spectrum, target and difference for each bandwidth.")
        {
            images, radii, size, mode, gain, output, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            var (paths, sheetPath) = (parsed.GetValue(images)!, parsed.GetValue(output)!);
            if (paths.Length > MostPictures)
            {
                throw new ArgumentException($"{paths.Length} pictures were given, expected at most {MostPictures} for one sheet");
            }
            OutputFile.Prepare(sheetPath);
            var side = parsed.GetValue(size);
            var view = new Recipe { Image = new ImageRecipe { Height = side, Width = side } };
            using var context = CommonOptions.Open(parsed, device, threads);
            var views = new List<PictureView>();
            try
            {
                foreach (var path in paths)
                {
                    using var picture = Pictures.Read(path);
                    views.Add(PictureView.Of(picture, view));
                }
                var studies = views
                    .Select(v => LowPassStudy.Of(v.Image, parsed.GetValue(radii)!, parsed.GetValue(mode), context)).ToList();
                using var sheet = LowPassSheet.Draw(studies, parsed.GetValue(gain));
                Pictures.Write(sheetPath, sheet);
                if (parsed.GetValue(json))
                {
                    JsonOutput.Print(shell, writer => WriteJson(writer, sheetPath, side, parsed.GetValue(gain), paths, studies));
                }
                else
                {
                    Print(shell, paths, studies);
                    shell.Output.WriteLine(sheetPath);
                }
            }
            finally
            {
                views.ForEach(v => v.Dispose());
            }
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Print(Shell shell, string[] paths, List<LowPassStudy> studies)
    {
        var table = Tables.New(
            "picture", "r", "bins kept", "energy", "energy without the mean", "mean difference", "largest difference");
        foreach (var (path, study) in paths.Zip(studies))
        {
            foreach (var r in study.Results)
            {
                string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
                table.AddRow(
                    Markup.Escape(path), Text($"{r.Radius}"), Text($"{r.KeptBins} of {study.Spectrum.Height * study.Spectrum.Width}"),
                    Text($"{r.Energy:0.0000}"), Text($"{r.Contrast:0.0000}"), Text($"{r.MeanDifference:0.0000}"),
                    Text($"{r.LargestDifference:0.0000}"));
            }
        }
        Tables.Print(shell, table);
    }

    private static void WriteJson(Utf8JsonWriter writer, string sheet, int size, int gain, string[] paths, List<LowPassStudy> studies)
    {
        writer.WriteStartObject();
        writer.WriteString("sheet", sheet);
        writer.WriteNumber("size", size);
        writer.WriteString("mode", studies[0].Mode == LowPassMode.Exact ? "exact" : "symmetric");
        writer.WriteNumber("gain", gain);
        writer.WriteStartArray("pictures");
        foreach (var (path, study) in paths.Zip(studies))
        {
            writer.WriteStartObject();
            writer.WriteString("picture", path);
            writer.WriteStartArray("bandwidths");
            foreach (var result in study.Results)
            {
                writer.WriteStartObject();
                writer.WriteNumber("r", result.Radius);
                writer.WriteNumber("kept_bins", result.KeptBins);
                writer.WriteNumber("bins", study.Spectrum.Height * study.Spectrum.Width);
                JsonOutput.WriteNumber(writer, "energy", result.Energy);
                JsonOutput.WriteNumber(writer, "energy_without_mean", result.Contrast);
                writer.WriteNumber("mean_difference", result.MeanDifference);
                writer.WriteNumber("largest_difference", result.LargestDifference);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
