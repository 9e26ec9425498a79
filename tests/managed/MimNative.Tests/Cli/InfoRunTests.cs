using System.Text.Json;
using MimNative.Cli;
using MimNative.Data;
using MimNative.Runtime;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary><c>mim info RUN</c>, and the lines with which a run says what it trains.</summary>
public sealed class InfoRunTests : FolderTests
{
    private static string Info(string run) => CommandLine.Run("info", run).Succeeds();

    private static JsonElement Json(string run) => JsonDocument.Parse(CommandLine.Run("info", run, "--json").Succeeds()).RootElement;

    private static string[] Problems(string run) => [.. Json(run).GetProperty("problems").EnumerateArray().Select(p => p.GetString()!)];

    private string CopyRun() => TinyRun.CopyRun(At("run"));

    [Test]
    public void A_run_is_told_in_lines_of_80_characters()
    {
        string text = Info(TinyRun.Run);
        foreach (var said in new[]
        {
            "recipe     tiny: the defaults of mae on vit, changed in", "             train.batch 4 (was 4096)",
            "method     mae on vit: 32 wide, 1 deep, 2 heads, patches of 8 in pictures of 32", "26,096 trained parameters, 18,976 of them",
            $"{TinyRun.Pictures}: 12 images", "progress   step 9 of 9 (100%), epoch 3 of 3; done", " at step 9, ", "spans of the 9 steps:", " images/s, ",
            " in steps", "device     cpu: ", "saved      checkpoints/step-000000006: ", "           checkpoints/step-000000009: ",
        })
        {
            Assert.That(text, Does.Contain(said));
        }
        Assert.That(text, Does.Not.Contain("problem").And.Not.Contain("skipped").And.Not.Contain("left"));
        Assert.That(text.Split('\n').Where(line => line.Length > 80 && line.Trim().Contains(' ')), Is.Empty);
    }

    [Test]
    public void Programs_are_told_the_same()
    {
        var json = Json(TinyRun.Run);
        Assert.That(json.GetProperty("folder").GetString(), Is.EqualTo(TinyRun.Run));
        Assert.That(json.GetProperty("checkpoints").EnumerateArray().Select(c => c.GetString()), Has.One.EndsWith("step-000000009").And.Exactly(2).Items);
        Assert.That(json.GetProperty("recipe").GetProperty("encoder").GetProperty("dim").GetInt32(), Is.EqualTo(32));
        foreach (var (key, value) in new[]
        {
            ("step", 9), ("epoch", 3), ("steps_done", 9), ("steps_per_epoch", 3), ("total_steps", 9), ("epochs", 3), ("images_seen", 36), ("images", 12),
            ("parameters", 26096), ("encoder_parameters", 18976), ("skipped", 0), ("seconds_left", 0),
        })
        {
            Assert.That(json.GetProperty(key).GetInt32(), Is.EqualTo(value), key);
        }
        Assert.That((json.GetProperty("is_training").GetBoolean(), json.GetProperty("is_done").GetBoolean()), Is.EqualTo((false, true)));
        Assert.That(json.GetProperty("loss").GetProperty("course").EnumerateArray().Select(m => m.GetDouble()), Has.Exactly(9).GreaterThan(0));
        Assert.That(json.GetProperty("device").GetString(), Does.StartWith("cpu: "));
        var files = new DirectoryInfo(TinyRun.InCheckpoint(TinyRun.Run, 9, "")).EnumerateFiles();
        Assert.That(json.GetProperty("saved")[1].GetProperty("bytes").GetInt64(), Is.EqualTo(files.Sum(f => f.Length)));
        Assert.That(
            json.GetProperty("differences").EnumerateArray().Select(d => $"{d.GetProperty("key")} {d.GetProperty("value")} {d.GetProperty("default")}"),
            Does.Contain("train.batch 4 4096"));
    }

    [Test]
    public void A_stopped_run_says_how_far_it_came_and_what_is_left()
    {
        TinyRun.DrawPictures(At("data"));
        File.WriteAllText(Path.Combine(At("data"), "05.png"), "no picture");
        CommandLine.Run(TinyRun.PretrainOn(At("data"), At("run"), "--stop-after", "5", "--checkpoint-every", "2")).Succeeds();
        Assert.That(Info(At("run")), Does.Contain("step 5 of 9 (56%), epoch 1 of 3; no process trains it now").And.Contain("left")
            .And.Contain("skipped    1 image could not be decoded: 05.png"));
        Assert.That(Json(At("run")).GetProperty("first_skipped")[0].GetString(), Is.EqualTo("05.png"));

        // as if it had been killed at step 5 after the checkpoint of step 4
        Directory.Delete(TinyRun.InCheckpoint(At("run"), 5, ""), recursive: true);
        Assert.That(Info(At("run")), Does.Contain("step 5 of 9").And.Contain("saved at step 4"));
    }

    [Test]
    public void A_run_that_is_trained_now_says_so()
    {
        string run = CopyRun();
        using var source = ImageSources.Open(TinyRun.Pictures);
        using var context = new Context(Device.Cpu, 1);
        using (new PretrainRun(RunFolder.Open(run), source, context, new PretrainSettings(), new RunSettings()))
        {
            Assert.That(Info(run), Does.Contain("; a process trains it now"));
        }
        Assert.That(Json(run).GetProperty("is_training").GetBoolean(), Is.False);
    }

    [Test]
    public void A_run_without_a_checkpoint_tells_what_the_rest_says()
    {
        string run = CopyRun();
        Directory.Delete(Path.Combine(run, "checkpoints"), recursive: true);
        Assert.That(Info(run), Does.Contain("no checkpoint yet").And.Contain("step 9 of a run of 3 epochs, ").And.Contain("nothing saved yet")
            .And.Contain("known from the first checkpoint on").And.Contain("spans of the 9 steps"));
        Assert.That(Json(run).GetProperty("total_steps").ValueKind, Is.EqualTo(JsonValueKind.Null));
        File.Delete(Path.Combine(run, "metrics.jsonl"));
        Assert.That(Info(run), Does.Contain("progress   step 0").And.Contain("metrics.jsonl has no step"));
        Assert.That(Problems(run), Is.Empty);
    }

    [TestCase("metrics.jsonl", "{\"step\":1,\"loss\":2}\noops\n{\"step\":3,\"loss\":4}\n", "1 line is damaged")]
    [TestCase("metrics.jsonl", "{\"step\":1,\"loss\":2}\n{\"step\":2,\"lo", "the last line was not written to its end")]
    [TestCase("checkpoints/step-000000009/state.json", "{", "state.json: not a run's state")]
    [TestCase("data.txt", "", "data.txt: missing or empty")]
    public void What_cannot_be_read_is_said_beside_all_that_can(string file, string content, string named)
    {
        string run = CopyRun();
        File.WriteAllText(Path.Combine(run, file), content);
        Assert.That(Info(run), Does.Contain("problem    ").And.Contain("recipe     tiny"));
        Assert.That(Problems(run), Has.Length.EqualTo(1).And.One.Contains(named));
    }

    [Test]
    public void A_damaged_newest_checkpoint_leaves_what_the_one_before_it_says()
    {
        string run = CopyRun();
        File.WriteAllText(TinyRun.InCheckpoint(run, 9, "state.json"), "{");
        Assert.That(Json(run).GetProperty("step").GetInt32(), Is.EqualTo(6));
        Assert.That(Info(run), Does.Contain("step 9 of 9 (100%), epoch 3 of 3, saved at step 6"));
    }

    [Test]
    public void A_run_of_an_earlier_version_is_told_too()
    {
        string run = CopyRun();
        foreach (var step in new[] { 6, 9 })
        {
            var state = TinyRun.InCheckpoint(run, step, "state.json");
            File.WriteAllLines(state, File.ReadAllLines(state)
                .Where(l => !l.Contains("\"device\"", StringComparison.Ordinal) && !l.Contains("\"precision\"", StringComparison.Ordinal))
                .Select(l => l.Replace("\"format_version\": 2", "\"format_version\": 1", StringComparison.Ordinal)));
        }
        File.Delete(Path.Combine(run, "run.lock"));
        Assert.That(Info(run), Does.Contain("an earlier version trained the run").And.Contain("precision  f32").And.Contain("step 9 of 9"));
        Assert.That(Json(run).GetProperty("device").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(Problems(run), Is.Empty);
    }

    [Test]
    public void A_new_run_says_what_its_recipe_changes_and_where_all_of_it_is()
    {
        string text = CommandLine.Run(TinyRun.Pretrain(At("run"), "--stop-after", "1", "--epochs", "5", "--set", "train.clip=2")).Succeeds();
        Assert.That(text, Does.StartWith("recipe     tiny: the defaults of mae on vit, changed in\n             image.height 32 (was 224)\n"));
        Assert.That(text, Does.Contain("train.epochs 5 (was 800)").And.Contain("train.clip 2 (was 0)")
            .And.Contain($"all of it is in {At("run/recipe.json")}").And.Not.Contain("stage_heads"));
        Assert.That(CommandLine.Run(TinyRun.Resume(At("run"), "--stop-after", "2")).Succeeds(), Does.Not.Contain("recipe "));
    }

    [Test]
    public void A_new_run_that_only_warms_up_says_so() => Assert.That(
        CommandLine.Run(TinyRun.Pretrain(At("run"), "--stop-after", "1", "--set", "train.warmup_epochs=3")).Succeeds(),
        Does.Contain("warning    the whole run warms up"));
}
