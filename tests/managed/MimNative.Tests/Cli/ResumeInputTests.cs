using System.Buffers.Binary;
using MimNative.Cli;
using MimNative.Export;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

public sealed class ResumeInputTests : FolderTests
{
    [Test]
    public void A_finished_run_says_so()
    {
        string run = TinyRun.CopyRun(At("run"));
        Assert.That(CommandLine.Run(TinyRun.Resume(run)).Succeeds(), Does.Contain("the run is done: step 9 of 9"));
    }

    [Test]
    public void A_folder_that_holds_no_run_is_named()
    {
        CommandLine.Run(TinyRun.Resume(TinyRun.Pictures)).Fails(ExitCode.BadInput, $"'{TinyRun.Pictures}' holds no run");
        CommandLine.Run(TinyRun.Resume(At("none"))).Fails(ExitCode.BadInput, $"'{At("none")}' holds no run");
    }

    [TestCase("recipe.json", "{ \"train\": {", "recipe.json: the file is not valid JSON")]
    [TestCase("recipe.json", "{ \"train\": { \"batch\": 3 } }", "belongs to another recipe than the run's recipe.json")]
    [TestCase("data.txt", "", "data.txt: missing or empty", "--data")]
    [TestCase("data.txt", "/nowhere/pictures\n", "'/nowhere/pictures' does not exist", "--data")]
    [TestCase("metrics.jsonl", "{\"step\":1}\nnot JSON\n{\"step\":3}\n", "metrics.jsonl: line 2", "remove the file")]
    [TestCase("checkpoints/step-000000009/state.json", "{", "state.json: not a run's state", "to go on from step 6", "remove '")]
    [TestCase(
        "checkpoints/step-000000009/model.safetensors", "{\"a\": 1}", "model.safetensors: the first 8 bytes", "to go on from step 6")]
    public void A_damaged_file_is_named(string file, string content, params string[] named)
    {
        string run = TinyRun.CopyRun(At("run"));
        File.WriteAllText(Path.Combine(run, file), content);
        CommandLine.Run(TinyRun.Resume(run)).Fails(ExitCode.BadInput, named);
        Assert.That(Directory.GetDirectories(Path.Combine(run, "checkpoints")), Has.Length.EqualTo(2));
    }

    [TestCase("model.safetensors")]
    [TestCase("optimizer.safetensors")]
    public void A_checkpoint_that_was_cut_off_or_has_a_senseless_header_is_named(string file)
    {
        string run = TinyRun.CopyRun(At("run")), path = TinyRun.InCheckpoint(run, 9, file);
        byte[] whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..^100]);
        CommandLine.Run(TinyRun.Resume(run)).Fails(ExitCode.BadInput, path, "remove");

        BinaryPrimitives.WriteUInt64LittleEndian(whole, 1UL << 63);
        File.WriteAllBytes(path, whole);
        CommandLine.Run(TinyRun.Resume(run)).Fails(ExitCode.BadInput, path, "header of 9223372036854775808 bytes");

        File.Delete(path);
        CommandLine.Run(TinyRun.Resume(run)).Fails(ExitCode.BadInput, path, "there is no such file");
    }

    [Test]
    public void What_the_message_about_a_damaged_checkpoint_says_works()
    {
        string run = TinyRun.CopyRun(At("run"));
        File.WriteAllText(TinyRun.InCheckpoint(run, 9, "model.safetensors"), "");
        CommandLine.Run(TinyRun.Resume(run)).Fails(ExitCode.BadInput, "to go on from step 6");
        Directory.Delete(TinyRun.InCheckpoint(run, 9, ""), recursive: true);
        Assert.That(CommandLine.Run(TinyRun.Resume(run)).Succeeds(), Does.Contain("resumed    at step 6").And.Contain("step 9 of 9"));
        Assert.That(File.ReadAllBytes(TinyRun.InCheckpoint(run, 9, "model.safetensors")),
            Is.EqualTo(File.ReadAllBytes(TinyRun.InCheckpoint(TinyRun.Run, 9, "model.safetensors"))));
    }

    [Test]
    public void A_checkpoint_of_another_model_is_named()
    {
        string run = TinyRun.CopyRun(At("run")), path = TinyRun.InCheckpoint(run, 9, "model.safetensors");
        SafetensorsWriter.Save(path, [SafetensorsTensor.Of("other.weight", new float[4], 4)]);
        CommandLine.Run(TinyRun.Resume(run)).Fails(ExitCode.BadInput, path, "'other.weight'", "recipe 'tiny'");
    }

    [Test]
    public void Counters_that_do_not_agree_are_named()
    {
        string run = TinyRun.CopyRun(At("run")), path = TinyRun.InCheckpoint(run, 9, "state.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"step_in_epoch\": 0", "\"step_in_epoch\": 700"));
        CommandLine.Run(TinyRun.Resume(run)).Fails(ExitCode.BadInput, path, "step_in_epoch 700", "3 steps an epoch");
    }

    [Test]
    public void Pictures_that_came_went_or_changed_their_names_are_an_error()
    {
        TinyRun.DrawPictures(At("data"));
        CommandLine.Run(TinyRun.PretrainOn(At("data"), At("run"), "--stop-after", "4")).Succeeds();
        string picture = Path.Combine(At("data"), "05.png"), other = Path.Combine(At("data"), "5.png");

        File.Move(picture, other);
        CommandLine.Run(TinyRun.Resume(At("run"))).Fails(ExitCode.BadInput, "the data has changed", "their names differ");
        File.Copy(other, picture);
        CommandLine.Run(TinyRun.Resume(At("run"))).Fails(ExitCode.BadInput, "it had 12 images, now there are 13");
        File.Delete(other);
        CommandLine.Run(TinyRun.Resume(At("run"))).Succeeds();
    }

    [Test]
    public void Pictures_that_moved_are_found_with_data_and_remembered()
    {
        TinyRun.DrawPictures(At("data"));
        CommandLine.Run(TinyRun.PretrainOn(At("data"), At("run"), "--stop-after", "4")).Succeeds();
        Directory.Move(At("data"), At("moved"));
        CommandLine.Run(TinyRun.Resume(At("run"))).Fails(ExitCode.BadInput, $"'{At("data")}' does not exist", "--data");
        CommandLine.Run(TinyRun.Resume(At("run"), "--data", At("moved"), "--stop-after", "5")).Succeeds();
        Assert.That(CommandLine.Run(TinyRun.Resume(At("run"))).Succeeds(), Does.Contain("step 9 of 9"));
    }

    [Test]
    public void A_run_that_never_saved_begins_anew()
    {
        string run = TinyRun.CopyRun(At("run"));
        Directory.Delete(Path.Combine(run, "checkpoints"), recursive: true);
        Assert.That(CommandLine.Run(TinyRun.Resume(run)).Succeeds(), Does.Contain("no checkpoint yet").And.Contain("step 9 of 9"));
        Assert.That(File.ReadLines(Path.Combine(run, "metrics.jsonl")).Count(), Is.EqualTo(9));
    }

    [Test]
    public void A_run_that_another_process_trains_is_not_touched()
    {
        using var first = CommandProcess.Start(TinyRun.Pretrain(At("run"), "--epochs", "100000", "--json"));
        first.WaitFor("\"step\":2,");
        CommandLine.Run(TinyRun.Resume(At("run"))).Fails(ExitCode.Unavailable, "trained by another process");
        first.Signal(CommandProcess.KillAtOnce);
        first.Finish();
        CommandLine.Run(TinyRun.Resume(At("run"), "--stop-after", "1")).Succeeds();
    }
}
