using MimNative.Cli;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

public sealed class DataInputTests : FolderTests
{
    [Test]
    public void A_folder_that_is_not_there_is_named()
    {
        CommandLine.Run(TinyRun.PretrainOn(At("none"), At("run"))).Fails(ExitCode.BadInput, $"'{At("none")}' does not exist");
        Assert.That(Directory.Exists(At("run")), Is.False);
    }

    [TestCase]
    [TestCase("notes.txt", "table.csv")]
    public void A_folder_without_pictures_is_named(params string[] files)
    {
        Directory.CreateDirectory(At("data"));
        files.ToList().ForEach(f => File.WriteAllText(At(Path.Combine("data", f)), "text"));
        CommandLine.Run(TinyRun.PretrainOn(At("data"), At("run"))).Fails(ExitCode.BadInput, At("data"), "holds no pictures", "jpg");
    }

    [Test]
    public void A_file_of_another_kind_is_named() =>
        CommandLine.Run(TinyRun.PretrainOn(TinyRun.Picture, At("run"))).Fails(ExitCode.BadInput, TinyRun.Picture, "'.png'");

    [Test]
    public void Pictures_that_cannot_be_decoded_are_skipped_counted_and_listed()
    {
        DrawWithDamaged();
        string output = CommandLine.Run(TinyRun.PretrainOn(At("data"), At("run"))).Succeeds();
        Assert.That(output, Does.Contain("3 images could not be decoded and were skipped"));
        Assert.That(output, Does.Contain(Path.Combine(At("run"), "skipped.txt")));
        Assert.That(Skipped(), Is.EquivalentTo(new[] { "cut.jpg", "empty.jpg", "text.jpg" }));
    }

    [Test]
    public void A_run_that_goes_on_lists_a_skipped_picture_once()
    {
        DrawWithDamaged();
        CommandLine.Run(TinyRun.PretrainOn(At("data"), At("run"), "--stop-after", "4")).Succeeds();
        CommandLine.Run(TinyRun.Resume(At("run"))).Succeeds();
        Assert.That(Skipped(), Is.EquivalentTo(new[] { "cut.jpg", "empty.jpg", "text.jpg" }));
    }

    [TestCase("cut.jpg")]
    [TestCase("empty.jpg")]
    [TestCase("text.jpg")]
    public void With_strict_the_first_is_an_error_that_names_it(string damaged)
    {
        DrawWithDamaged(damaged);
        CommandLine.Run(TinyRun.PretrainOn(At("data"), At("run"), "--strict"))
            .Fails(ExitCode.BadInput, $"'{damaged}'", "cannot be decoded");
    }

    [Test]
    public void An_error_of_the_data_costs_no_step_that_was_done()
    {
        TinyRun.DrawPictures(At("data"));
        using (var command = CommandProcess.Start(TinyRun.PretrainOn(
                   At("data"), At("run"), "--epochs", "100000", "--strict", "--json", "--checkpoint-every", "1000000")))
        {
            command.WaitFor("\"step\":5,");
            File.WriteAllText(Path.Combine(At("data"), "03.png"), "text");
            Finished finished = command.Finish();
            Assert.That(finished.Code, Is.EqualTo(ExitCode.BadInput), finished.Errors);
            Assert.That(finished.Errors, Does.Contain("'03.png' cannot be decoded"));
        }
        int steps = File.ReadLines(Path.Combine(At("run"), "metrics.jsonl")).Count();
        Assert.That(steps, Is.GreaterThanOrEqualTo(5));
        Assert.That(Directory.Exists(TinyRun.InCheckpoint(At("run"), steps, "")), Is.True);
    }

    [Test]
    public void Pictures_none_of_which_can_be_decoded_are_an_error()
    {
        Directory.CreateDirectory(At("data"));
        for (int i = 0; i < 5; ++i)
        {
            File.WriteAllBytes(At(Path.Combine("data", $"{i}.jpg")), TinyRun.Jpeg[..(20 * i)]);
        }
        Finished finished = CommandLine.Run(TinyRun.PretrainOn(At("data"), At("run")));
        finished.Fails(ExitCode.BadInput, "None of the 5 pictures can be decoded", "'0.jpg'");
        Assert.That(finished.Output, Does.Contain("5 images could not be decoded"));
    }

    [Test]
    public void Pictures_of_one_pixel_and_of_extreme_shapes_train([Values("rrc", "src", "cc")] string transform)
    {
        Directory.CreateDirectory(At("data"));
        foreach (var (height, width, count) in new[] { (1, 1, 4), (3, 20000, 2), (20000, 3, 2) })
        {
            for (int i = 0; i < count; ++i)
            {
                using Image picture = MimNative.Tests.Data.Pictures.Noise(height, width, seed: i);
                File.WriteAllBytes(At(Path.Combine("data", $"{height}x{width}-{i}.png")), picture.EncodePng());
            }
        }
        string output = CommandLine.Run(
            TinyRun.PretrainOn(At("data"), At("run"), "--set", $"transform.kind={transform}")).Succeeds();
        Assert.That(output, Does.Contain("step 6 of 6").And.Contain("sheet").And.Not.Contain("skipped"));
    }

    [TestCase("--batch", "13")]
    [TestCase("--set", "train.accumulation=4")]
    public void Too_few_pictures_for_one_step_are_counted_before_the_folder_is_made(string option, string value)
    {
        CommandLine.Run(TinyRun.Pretrain(At("run"), option, value))
            .Fails(ExitCode.BadInput, "the data holds 12 images", "train.batch");
        Assert.That(Directory.Exists(At("run")), Is.False);
    }

    [Test]
    public void A_folder_that_holds_a_run_is_left_alone()
    {
        string run = TinyRun.CopyRun(At("run"));
        string metrics = File.ReadAllText(Path.Combine(run, "metrics.jsonl"));
        CommandLine.Run(TinyRun.Pretrain(run)).Fails(ExitCode.BadInput, $"'{run}' holds a run already", "--resume");
        Assert.That(File.ReadAllText(Path.Combine(run, "metrics.jsonl")), Is.EqualTo(metrics));
    }

    [Test]
    public void A_run_among_the_pictures_would_train_on_its_own_sheets()
    {
        TinyRun.DrawPictures(At("data"));
        string run = Path.Combine(At("data"), "runs", "a");
        CommandLine.Run(TinyRun.PretrainOn(At("data"), run)).Fails(ExitCode.BadInput, run, "lies inside the pictures' folder");
        Assert.That(Directory.Exists(run), Is.False);
    }

    [Test]
    public void A_place_that_cannot_be_written_is_named()
    {
        string below = Path.Combine(TinyRun.RecipeFile, "run");
        CommandLine.Run(TinyRun.Pretrain(below)).Fails(ExitCode.Unavailable, $"the run folder '{below}' cannot be written");
    }

    [Test]
    public void What_is_left_out_is_told_and_a_run_on_a_pattern_goes_on()
    {
        TinyRun.DrawPictures(At("data "));
        Directory.CreateDirectory(At("data /@eaDir"));
        File.Copy(At("data /00.png"), At("data /@eaDir/00.png"));
        string pattern = At("data /**/{00..11}.{png,jpg,JPEG}");
        string output = CommandLine.Run(TinyRun.PretrainOn(pattern, At("run"), "--stop-after", "4")).Succeeds();
        Assert.That(output, Does.Contain("12 images").And.Contain("warning    1 picture lies under hidden names").And.Contain("'@eaDir'"));
        Assert.That(CommandLine.Run(TinyRun.Resume(At("run"))).Succeeds(), Does.Contain("step 9 of 9"));
    }

    [Test]
    public void Commands_that_only_measure_tell_it_too()
    {
        using (var drawn = new MimNative.Data.ShapesSource(4, 40, 40, seed: 1))
        {
            drawn.Write(Folder);
        }
        File.WriteAllText(At("images/x.gif"), "");
        Finished coverage = CommandLine.Run(
            "coverage", "--data", At("images"), "--objects", At("masks"), "--recipe", TinyRun.RecipeFile, "--draws", "1", "--json");
        Finished sweep = CommandLine.Run(
            "sweep", "--recipe", TinyRun.RecipeFile, "--data", At("images"), "--grid", "mask.ratio=0.5", "--steps", "1", "--batch", "4",
            "--out", At("sweep"), "--threads", "1", "--workers", "1", "--json");
        Assert.That(new[] { coverage.Code, sweep.Code }, Has.All.Zero);
        Assert.That(new[] { coverage.Errors, sweep.Errors }, Has.All.Contain("1 file of a format that is not read was passed over (1 .gif)"));
    }

    private void DrawWithDamaged(params string[] which)
    {
        TinyRun.DrawPictures(At("data"));
        foreach (var (name, content) in new (string, byte[])[]
        {
            ("cut.jpg", TinyRun.Jpeg[..200]), ("empty.jpg", []), ("text.jpg", "this is no picture"u8.ToArray()),
        })
        {
            if (which.Length == 0 || which.Contains(name))
            {
                File.WriteAllBytes(At(Path.Combine("data", name)), content);
            }
        }
    }

    private IEnumerable<string> Skipped() =>
        File.ReadLines(Path.Combine(At("run"), "skipped.txt")).Select(line => line.Split('\t')[0]);
}
