using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MimNative.Cli.Terminal;
using MimNative.Evaluation;
using MimNative.Training;
using Spectre.Console;

namespace MimNative.Cli.Commands;

/// <summary><c>mim attention</c>: where a query patch looks, and how far each head looks in the mean.</summary>
internal static class AttentionCommand
{
    // What --head is for the mean of all heads and for a cell of each.
    private const int MeanOfHeads = -1, EachHead = -2;

    public static Command Create(Shell shell)
    {
        var run = new Option<string>("--run") { Description = "the run folder whose newest checkpoint is used", Required = true };
        var images = CommonOptions.Images();
        var layer = new Option<string>("--layer")
        {
            Description = "all, encoder.N, decoder.N, or several with commas between them; N counts from 0",
            DefaultValueFactory = _ => "all",
        };
        var query = new Option<(int Row, int Column)?>("--query")
        {
            Description = "the patch that looks, ROW,COL from 0; the middle one where it is not given",
            CustomParser = ParseQuery,
        };
        var head = new Option<int>("--head")
        {
            Description = "mean (of all heads), all (a cell for each), or a head from 0",
            DefaultValueFactory = _ => MeanOfHeads,
            CustomParser = ParseHead,
        };
        var mask = new Option<string>("--mask")
        {
            Description = "what is hidden, as in reconstruct, objects apart; where it is not given, encoders see whole pictures and decoders the " +
                "method's own random mask",
        };
        var output = new Option<string>("--out") { Description = "the picture of the maps", DefaultValueFactory = _ => "attention.png" };
        var plot = new Option<string>("--plot") { Description = "the plot of the distances; beside the maps where it is not given" };
        var seed = CommonOptions.Whole("--seed", "of random masks", 0, long.MaxValue, otherwise: 0);
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new Command("attention", "Draws where a patch looks, and tells the mean attention distance of every head.")
        {
            run, images, layer, query, head, mask, output, plot, seed, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            var rule = parsed.GetValue(mask) is { } text ? MaskRule.Parse(text) : null;
            if (rule is { IsOfObject: true })
            {
                throw new ArgumentException(
                    $"mask '{parsed.GetValue(mask)}' needs an object, and attention knows none; expected random, box:LEFT,TOP,WIDTH,HEIGHT, " +
                    "patches:I,J,K-L or file:MASK.png");
            }
            var folder = RunFolder.Open(parsed.GetValue(run)!);
            var mapPath = parsed.GetValue(output)!;
            var plotPath = parsed.GetValue(plot) ?? Path.ChangeExtension(mapPath, null) + "-distances.png";
            OutputFile.Prepare(mapPath);
            OutputFile.Prepare(plotPath);
            using var context = CommonOptions.Open(parsed, device, threads);
            using var model = folder.LoadModel(context);
            using var probe = new AttentionProbe(model);
            var layers = probe.Choose(parsed.GetValue(layer)!);
            var study = new AttentionStudy(probe, layers, QueryOf(parsed.GetValue(query), probe), parsed.GetValue(head) switch
            {
                MeanOfHeads => HeadChoice.Mean,
                EachHead => HeadChoice.All,
                var one => HeadChoice.Of(one),
            });
            var views = new List<PictureView>();
            try
            {
                foreach (var path in parsed.GetValue(images)!)
                {
                    using var picture = Pictures.Read(path);
                    views.Add(PictureView.Of(picture, folder.Recipe));
                    var hidden = rule is null || rule.IsRandom
                        ? probe.RandomMask(parsed.GetValue(seed), views.Count - 1)
                        : rule.Removed(views[^1], folder.Recipe, probe.Grid);
                    study.Add(views[^1].Image, hidden, encodesWhole: rule is null);
                }
                using var sheet = AttentionSheet.Draw([.. views.Zip(study.Pictures, (v, p) => (v.Image, p.Maps))]);
                using var distances = AttentionDistancePlot.Draw(study.Distances, $"{folder.Recipe.Name}: mean attention distance");
                Pictures.Write(mapPath, sheet);
                Pictures.Write(plotPath, distances);
            }
            finally
            {
                views.ForEach(v => v.Dispose());
            }
            if (parsed.GetValue(json))
            {
                AttentionJson.Print(shell, folder, study, parsed.GetValue(images)!, parsed.GetValue(mask), mapPath, plotPath);
                return ExitCode.Ok;
            }
            Print(shell, study, parsed.GetValue(images)!);
            shell.Output.WriteLine($"{mapPath}, {plotPath}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Print(Shell shell, AttentionStudy study, string[] paths)
    {
        static string Text(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
        var table = Tables.New("layer", "mean distance in pixels", "equal weights", "heads");
        foreach (var layer in study.Distances)
        {
            table.AddRow(layer.Layer, Text(layer.Mean), Text(layer.Uniform), string.Join(' ', layer.Heads.Select(Text)));
        }
        Tables.Print(shell, table);
        foreach (var (path, picture) in paths.Zip(study.Pictures))
        {
            shell.Output.WriteLine(
                $"{path}: query {study.Query.Row},{study.Query.Column}, " +
                (picture.QueryIsHidden ? "hidden where pictures are masked" : "visible"));
        }
        shell.Output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"distances leave the class token out; weights times values are the model's own answers to {study.Error:0.0e0}"));
    }

    private static (int Row, int Column) QueryOf((int Row, int Column)? given, AttentionProbe probe)
    {
        var grid = probe.Grid;
        if (given is not { } query)
        {
            return (grid.Rows / 2, grid.Columns / 2);
        }
        return query.Row < grid.Rows && query.Column < grid.Columns
            ? query
            : throw new ArgumentException(
                $"--query is {query.Row},{query.Column}, expected a row from 0 to {grid.Rows - 1} and a column from 0 to {grid.Columns - 1}");
    }

    private static (int Row, int Column)? ParseQuery(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        int?[] numbers =
        [
            .. text.Split(',').Select(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : (int?)null),
        ];
        if (numbers is [{ } row, { } column])
        {
            return (row, column);
        }
        result.AddError($"--query is '{text}', expected ROW,COL in patches, counted from 0");
        return null;
    }

    private static int ParseHead(ArgumentResult result)
    {
        switch (result.Tokens[^1].Value)
        {
            case "mean":
                return MeanOfHeads;
            case "all":
                return EachHead;
            case var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var head):
                return head;
            case var other:
                result.AddError($"--head is '{other}', expected mean, all or a number from 0");
                return MeanOfHeads;
        }
    }
}
