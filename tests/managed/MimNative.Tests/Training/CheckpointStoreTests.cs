using MimNative.Export;
using MimNative.Recipes;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

public sealed class CheckpointStoreTests : FolderTests
{
    [TestCase(0.1 + 0.2)]
    [TestCase(double.PositiveInfinity)]
    public void What_was_saved_is_read_back(double lossSum)
    {
        var store = new CheckpointStore(At("checkpoints"));
        RunState state = State(1234) with
        {
            Epoch = 3,
            StepInEpoch = 17,
            SamplesSeen = 5_000_000_000,
            Seed = ulong.MaxValue,
            LossSum = lossSum,
            LossCount = 2,
            Recipe = "demo",
            RecipeHash = "abc",
            Data = new Dictionary<string, string> { ["images"] = "60000" },
        };
        Checkpoint saved = store.Save(state, Tensors(1), Tensors(2),
            new Dictionary<string, string> { ["recipe"] = "{}" });

        Assert.That(saved.Folder, Is.EqualTo(Path.Combine(At("checkpoints"), "step-000001234")));
        Checkpoint latest = store.Latest()!;
        RunState read = latest.ReadState();
        Assert.That(read.Data, Is.EqualTo(state.Data));
        Assert.That(read with { Data = state.Data }, Is.EqualTo(state));
        using SafetensorsFile model = latest.OpenModel(), optimizer = latest.OpenOptimizer();
        Assert.That(model.ReadFloats("a"), Is.EqualTo(new float[] { 1 }));
        Assert.That(model.Metadata["recipe"], Is.EqualTo("{}"));
        Assert.That(optimizer.ReadFloats("a"), Is.EqualTo(new float[] { 2 }));
    }

    [Test]
    public void A_run_without_checkpoints_has_no_latest()
    {
        Assert.That(new CheckpointStore(At("none")).Latest(), Is.Null);
        Assert.That(new CheckpointStore(At("none")).RemoveUnfinished(), Is.Empty);
        Assert.That(Directory.Exists(At("none")), Is.False);
    }

    [Test]
    public void The_last_ones_and_every_nth_are_kept()
    {
        var store = new CheckpointStore(Folder, keepLast: 2, keepEvery: 40);
        for (int step = 10; step <= 120; step += 10)
        {
            store.Save(State(step), Tensors(step), []);
        }
        Assert.That(store.All().Select(c => c.Step), Is.EqualTo(new[] { 40, 80, 110, 120 }));
        Assert.That(Directory.GetFileSystemEntries(Folder), Has.Length.EqualTo(4));
    }

    [Test]
    public void Steps_are_ordered_as_numbers()
    {
        var store = new CheckpointStore(Folder, keepLast: 3);
        store.Save(State(2_000_000_000_000), Tensors(1), []);
        store.Save(State(999_999_999), Tensors(1), []);
        Assert.That(store.Latest()!.Step, Is.EqualTo(2_000_000_000_000));
    }

    [Test]
    public void A_half_written_checkpoint_is_never_seen_and_is_cleared_away()
    {
        var store = new CheckpointStore(Folder);
        store.Save(State(1), Tensors(1), []);
        // what a crash while writing step 2 leaves
        string half = At("step-000000002.partial");
        Directory.CreateDirectory(half);
        File.WriteAllText(Path.Combine(half, "model.safetensors"), "half");

        Assert.That(store.Latest()!.Step, Is.EqualTo(1));
        Assert.That(store.RemoveUnfinished(), Is.EqualTo(new[] { half }));
        Assert.That(Directory.Exists(half), Is.False);
        Assert.That(store.Latest()!.Step, Is.EqualTo(1));
    }

    [Test]
    public void A_leftover_does_not_hinder_the_same_step()
    {
        Directory.CreateDirectory(At("step-000000002.partial"));
        File.WriteAllText(Path.Combine(At("step-000000002.partial"), "model.safetensors"), "half");
        var store = new CheckpointStore(Folder);
        store.Save(State(2), Tensors(5), []);
        using SafetensorsFile model = store.Latest()!.OpenModel();
        Assert.That(model.ReadFloats("a"), Is.EqualTo(new float[] { 5 }));
    }

    [Test]
    public void A_step_saved_again_replaces_the_earlier_one()
    {
        var store = new CheckpointStore(Folder);
        store.Save(State(1), Tensors(1), []);
        store.Save(State(1), Tensors(2), []);
        Assert.That(Directory.GetFileSystemEntries(Folder), Has.Length.EqualTo(1));
        using SafetensorsFile model = store.Latest()!.OpenModel();
        Assert.That(model.ReadFloats("a"), Is.EqualTo(new float[] { 2 }));
    }

    [Test]
    public void A_crash_while_replacing_loses_nothing()
    {
        var store = new CheckpointStore(Folder);
        store.Save(State(1), Tensors(1), []);
        // between the two renames the old one has another name and the new one has none yet
        Directory.Move(At("step-000000001"), At("step-000000001.replaced"));
        Directory.CreateDirectory(At("step-000000001.partial"));
        Assert.That(store.Latest(), Is.Null);
        store.RemoveUnfinished();
        using SafetensorsFile model = store.Latest()!.OpenModel();
        Assert.That(model.ReadFloats("a"), Is.EqualTo(new float[] { 1 }));
        Assert.That(Directory.GetFileSystemEntries(Folder), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_crash_after_replacing_keeps_the_new_one()
    {
        var store = new CheckpointStore(Folder);
        store.Save(State(1), Tensors(2), []);
        Directory.CreateDirectory(At("step-000000001.replaced"));
        store.RemoveUnfinished();
        using SafetensorsFile model = store.Latest()!.OpenModel();
        Assert.That(model.ReadFloats("a"), Is.EqualTo(new float[] { 2 }));
        Assert.That(Directory.GetFileSystemEntries(Folder), Has.Length.EqualTo(1));
    }

    // the disk fills up in the model, in the optimiser, and in the state
    [TestCase(10)]
    [TestCase(5_000)]
    [TestCase(8_200)]
    public void A_full_disk_is_called_that_and_harms_nothing(int room)
    {
        new CheckpointStore(Folder).Save(State(1), Tensors(1), []);
        int left = room;
        var store = new CheckpointStore(
            Folder, keepLast: 1, keepEvery: 0, path => new FullDisk(path, () => left, n => left = n));
        SafetensorsTensor[] large = [SafetensorsTensor.Of("a", new float[1000], 1000)];

        Assert.That(() => store.Save(State(2), large, large), Throws.TypeOf<IOException>()
            .With.Message.Contains("step 2").And.Message.Contains("the disk is full")
            .And.Message.Contains("earlier checkpoints are untouched"));
        Assert.That(Directory.GetFileSystemEntries(Folder), Is.EqualTo(new[] { At("step-000000001") }));
        using SafetensorsFile model = store.Latest()!.OpenModel();
        Assert.That(model.ReadFloats("a"), Is.EqualTo(new float[] { 1 }));
    }

    [Test]
    [Platform("Linux")]
    public void A_really_full_disk_is_called_that()
    {
        var store = new CheckpointStore(Folder, 1, 0,
            _ => new FileStream("/dev/full", FileMode.Open, FileAccess.Write));
        Assert.That(() => store.Save(State(1), Tensors(1), []),
            Throws.TypeOf<IOException>().With.Message.Contains("the disk is full"));
        Assert.That(Directory.GetFileSystemEntries(Folder), Is.Empty);
    }

    [Test]
    public void A_folder_that_cannot_be_written_is_named()
    {
        File.WriteAllText(At("file"), "");
        string below = Path.Combine(At("file"), "checkpoints");
        Assert.That(() => new CheckpointStore(below).Save(State(1), Tensors(1), []),
            Throws.TypeOf<IOException>().With.Message.Contains($"could not be written to '{below}'"));
    }

    [Test]
    public void Missing_permission_is_called_that()
    {
        // the permission bits do not bind the superuser, whom tests may run as
        var store = new CheckpointStore(Folder, 1, 0, _ => throw new UnauthorizedAccessException("Access denied."));
        Assert.That(() => store.Save(State(1), Tensors(1), []),
            Throws.TypeOf<IOException>().With.Message.Contains("there is no permission to write there"));
    }

    [Test]
    public void A_failure_of_the_device_passes_through_and_leaves_nothing()
    {
        var failing = new SafetensorsTensor("a", SafetensorsType.U8, [1], (_, _) =>
            throw new InvalidOperationException("the device is gone"));
        Assert.That(() => new CheckpointStore(Folder).Save(State(1), [failing], []),
            Throws.InvalidOperationException.With.Message.EqualTo("the device is gone"));
        Assert.That(Directory.GetFileSystemEntries(Folder), Is.Empty);
    }

    [Test]
    public void Damaged_content_is_an_error_not_an_older_checkpoint()
    {
        var store = new CheckpointStore(Folder);
        store.Save(State(1), Tensors(1), []);
        Checkpoint latest = store.Save(State(2), Tensors(2), []);
        File.WriteAllText(Path.Combine(latest.Folder, "model.safetensors"), "short");
        File.Delete(Path.Combine(latest.Folder, "optimizer.safetensors"));
        Assert.That(store.Latest()!.Step, Is.EqualTo(2));
        Assert.That(() => latest.OpenModel(), Throws.TypeOf<InvalidFileException>()
            .With.Message.Contains("model.safetensors"));
        Assert.That(() => latest.OpenOptimizer(), Throws.TypeOf<InvalidFileException>()
            .With.Message.Contains("no such file"));
    }

    [TestCase("{", "", "not a run's state")]
    [TestCase("\"seed\": 1,", "", "seed")]
    [TestCase("\"loss_sum\": 0,", "", "loss_sum")]
    [TestCase("\"seed\": 1", "\"seed\": -1", "seed")]
    [TestCase("\"step\": 1", "\"step\": \"1\"", "step")]
    [TestCase("\"epoch\": 0", "\"epoch\": -4", "epoch should not be negative, but is -4")]
    [TestCase("\"step\": 1", "\"step\": 7", "step should be 1 as in the folder's name, but is 7")]
    [TestCase("\"format_version\": 2", "\"format_version\": 3", "newer version")]
    [TestCase("\"precision\": \"bf16\",", "", "precision should be f32 or bf16")]
    [TestCase("\"precision\": \"bf16\"", "\"precision\": \"auto\"", "precision should be f32 or bf16")]
    [TestCase("\"data\": {}", "\"data\": null", "should not be null")]
    public void A_damaged_state_is_described(string old, string damaged, string expected)
    {
        Checkpoint checkpoint = new CheckpointStore(Folder).Save(State(1), Tensors(1), []);
        string path = Path.Combine(checkpoint.Folder, "state.json");
        string content = File.ReadAllText(path);
        Assert.That(content, Does.Contain(old));
        File.WriteAllText(path, content.Replace(old, damaged));
        Assert.That(() => checkpoint.ReadState(), Throws.TypeOf<InvalidFileException>()
            .With.Message.StartsWith(path).And.Message.Contains(expected));
    }

    [Test]
    public void A_state_of_version_1_is_of_a_run_in_f32()
    {
        Checkpoint checkpoint = new CheckpointStore(Folder).Save(State(1), Tensors(1), []);
        string path = Path.Combine(checkpoint.Folder, "state.json");
        File.WriteAllText(path, File.ReadAllText(path)
            .Replace("\"format_version\": 2", "\"format_version\": 1").Replace("\"precision\": \"bf16\",", ""));
        Assert.That(checkpoint.ReadState(), Has.Property("Precision").EqualTo(Precision.F32).And.Property("FormatVersion").EqualTo(2));
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    public void A_state_that_is_none_is_described(string content)
    {
        Checkpoint checkpoint = new CheckpointStore(Folder).Save(State(1), Tensors(1), []);
        File.WriteAllText(Path.Combine(checkpoint.Folder, "state.json"), content);
        Assert.That(() => checkpoint.ReadState(), Throws.TypeOf<InvalidFileException>());
    }

    [Test]
    public void A_state_of_an_earlier_version_names_no_device()
    {
        Checkpoint checkpoint = new CheckpointStore(Folder).Save(State(1) with { Device = "cpu: here" }, Tensors(1), []);
        Assert.That(checkpoint.ReadState().Device, Is.EqualTo("cpu: here"));
        File.WriteAllLines(checkpoint.StatePath, File.ReadAllLines(checkpoint.StatePath).Where(l => !l.Contains("\"device\"", StringComparison.Ordinal)));
        Assert.That(checkpoint.ReadState().Device, Is.Null);
    }

    private static RunState State(long step) =>
        new() { Step = step, Epoch = 0, StepInEpoch = 0, Seed = 1, Precision = Precision.Bf16 };

    private static SafetensorsTensor[] Tensors(float value) =>
        [SafetensorsTensor.Of("a", new[] { value }, 1)];
}
