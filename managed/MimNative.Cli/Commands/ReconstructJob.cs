using MimNative.Cli.Terminal;
using MimNative.Evaluation;
using MimNative.Evaluation.Objects;
using MimNative.Export;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary>Reconstructs pictures with one run after the other, and draws their sheet.</summary>
internal sealed class ReconstructJob
{
    private readonly List<ComparedRun> _runs = [];
    private readonly List<Line> _lines = [];
    private readonly SortedSet<string> _captions = new(StringComparer.Ordinal);

    public required Shell Shell { get; init; }

    public required IReadOnlyList<string> Images { get; init; }

    public required MaskRule Rule { get; init; }

    public required IPictureObjects? Objects { get; init; }

    public required ComparedPicture Shown { get; init; }

    public required StatisticsSource Statistics { get; init; }

    public required string Output { get; init; }

    public required long Seed { get; init; }

    public required bool Json { get; init; }

    public int Run(IReadOnlyList<string> runs, Context context)
    {
        RunFolder[] folders = [.. runs.Select(RunFolder.Open)];
        foreach (var other in folders.Where(f => Size(f.Recipe) != Size(folders[0].Recipe)).Take(1))
        {
            throw new ArgumentException(
                $"the run '{other.Path}' has pictures of {Size(other.Recipe)} (height x width), expected {Size(folders[0].Recipe)} as " +
                $"'{folders[0].Path}' has");
        }
        try
        {
            foreach (var folder in folders)
            {
                Reconstruct(folder, context, named: folders.Length > 1);
            }
            var caption = string.Join("; ", _captions);
            using var sheet = _runs is [var only]
                ? ReconstructionSheet.Draw(only.Pictures, caption)
                : ComparisonSheet.Draw(_runs, Shown, caption);
            Pictures.Write(Output, sheet);
            Print(caption);
        }
        finally
        {
            _runs.ForEach(r => r.Pictures.ToList().ForEach(p => p.Dispose()));
        }
        return ExitCode.Ok;
    }

    private void Reconstruct(RunFolder folder, Context context, bool named)
    {
        using var model = folder.LoadModel(context);
        using var reconstructor = new Reconstructor(model);
        var rows = new List<ReconstructedPicture>();
        _runs.Add(new ComparedRun(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path))), folder.Recipe, rows));
        _captions.Add(reconstructor.Caption(Statistics));
        for (var i = 0; i < Images.Count; i++)
        {
            using var picture = Pictures.Read(Images[i]);
            using var view = PictureView.Of(picture, folder.Recipe);
            var removed = Rule.IsRandom
                ? reconstructor.RandomMask(Seed, i)
                : Rule.Removed(view, folder.Recipe, model.Method.Grid, ObjectOf(i, picture));
            rows.Add(reconstructor.Reconstruct(view.Image, removed, Statistics));
            _lines.Add(new Line(folder.Path, Images[i], rows[^1].Loss, removed.Count(r => r), removed.Length));
            if (!Json)
            {
                Shell.Output.WriteLine(_lines[^1].Text(named));
            }
        }
    }

    // The main object of a picture: the largest.
    private PictureObject? ObjectOf(int image, Image picture) => Objects is null
        ? null
        : Objects.Read(image, picture.Height, picture.Width).MaxBy(o => o.Area)
            ?? throw new InvalidFileException($"'{Images[image]}' has no object among those of --objects");

    private void Print(string caption)
    {
        if (!Json)
        {
            Shell.Output.WriteLine($"{Output} ({caption})");
            return;
        }
        JsonOutput.Print(Shell, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("sheet", Output);
            writer.WriteString("caption", caption);
            writer.WriteStartArray("reconstructions");
            foreach (var line in _lines)
            {
                writer.WriteStartObject();
                writer.WriteString("run", line.Run);
                writer.WriteString("picture", line.Picture);
                JsonOutput.WriteNumber(writer, "loss", line.Loss);
                writer.WriteNumber("removed", line.Removed);
                writer.WriteNumber("patches", line.Patches);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private static string Size(Recipe recipe) => $"{recipe.Image.Height} x {recipe.Image.Width}";

    private sealed record Line(string Run, string Picture, float Loss, int Removed, int Patches)
    {
        public string Text(bool named) =>
            $"{(named ? Run + "  " : "")}{Picture}: loss {Loss:0.0000}, {Removed} of {Patches} patches removed";
    }
}
