using MimNative.Evaluation.Benchmarks;
using MimNative.Recipes;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Benchmarks;

public sealed class OpCasesTests
{
    private static IEnumerable<OpCase> Tiny()
    {
        foreach (var op in new[] { OpNames.Linear, OpNames.LinearInput, OpNames.LinearWeight })
        {
            yield return OpCase.Of(op, op, ("rows", 6), ("inputs", 16), ("outputs", 32));
        }
        foreach (var op in new[] { OpNames.Mlp, OpNames.MlpBackward })
        {
            yield return OpCase.Of(op, op, ("rows", 6), ("dim", 16), ("hidden", 32));
        }
        foreach (var op in new[] { OpNames.Attention, OpNames.AttentionTraining })
        {
            yield return OpCase.Of(op, op, ("batch", 2), ("heads", 2), ("tokens", 5), ("dim", 16));
            yield return OpCase.Of(
                op + " windows", op, ("batch", 2), ("heads", 2), ("tokens", 4), ("dim", 16), ("window", 2), ("across", 3));
            yield return OpCase.Of(
                op + " buckets", op, ("batch", 2), ("heads", 2), ("tokens", 5), ("dim", 16), ("window", 2), ("buckets", 50));
        }
        foreach (var op in new[] { OpNames.LayerNorm, OpNames.LayerNormBackward, OpNames.Gelu, OpNames.GeluBackward })
        {
            yield return OpCase.Of(op, op, ("rows", 3), ("dim", 24));
        }
        (string, long)[] image = [("batch", 2), ("channels", 3), ("side", 16), ("patch", 4)];
        yield return OpCase.Of(OpNames.Patchify, OpNames.Patchify, [.. image, ("kept", 5)]);
        yield return OpCase.Of(OpNames.MaskedLoss, OpNames.MaskedLoss, [.. image, ("hidden", 11)]);
        yield return OpCase.Of(OpNames.LowPass, OpNames.LowPass, [.. image, ("radius", 3)]);
        yield return OpCase.Of(OpNames.GatherTokens, OpNames.GatherTokens, ("batch", 2), ("tokens", 7), ("kept", 3), ("dim", 8));
        yield return OpCase.Of(OpNames.RestoreTokens, OpNames.RestoreTokens, ("batch", 2), ("patches", 6), ("kept", 3), ("dim", 8));
        yield return OpCase.Of(OpNames.AdamW, OpNames.AdamW, ("count", 100));
    }

    [Test]
    public void Every_op_can_be_called([Values(Precision.F32, Precision.Bf16)] Precision precision)
    {
        OpCase[] cases = [.. Tiny()];
        Assert.That(cases.Select(c => c.Op).Distinct(), Is.EquivalentTo(OpCases.Of(DeviceKind.Cpu).Select(c => c.Op).Distinct()));
        var measured = OpBenchmark.Measure(Task(cases, precision));
        Assert.That(measured.Ops.Select(o => o.Name), Is.EqualTo(cases.Select(c => c.Name)));
        foreach (var op in measured.Ops)
        {
            Assert.That(op.Lower, Is.GreaterThan(0).And.LessThanOrEqualTo(op.Milliseconds), op.Name);
            Assert.That(op.Upper, Is.GreaterThanOrEqualTo(op.Milliseconds), op.Name);
        }
    }

    [Test]
    public void Names_are_unique_and_found_by_their_beginnings([Values] DeviceKind device)
    {
        Assert.That(OpCases.Of(device).Select(c => c.Name), Is.Unique);
        Assert.That(OpCases.Of(device).Select(c => c.Op).Distinct(), Is.EquivalentTo(Tiny().Select(c => c.Op).Distinct()));
        Assert.That(
            OpCases.Find("attention", device).Select(c => c.Op).Distinct(), Is.EqualTo(new[] { OpNames.Attention, OpNames.AttentionTraining }));
        Assert.That(OpCases.Find("adamw", device), Has.Count.EqualTo(1));
        Assert.That(() => OpCases.Find("linaer", device), Throws.ArgumentException.With.Message.Contains("did you mean 'linear'"));
    }

    [TestCase("linear S qkv 800 x 384->1152", 4, 2.0 * 800 * 384 * 1152, 0)]
    [TestCase("mlp S 800 x 384->1536->384", 4, 4.0 * 800 * 384 * 1536, 0)]
    [TestCase("mlp_backward S decoder 3152 x 256->1024->256", 2, 8.0 * 3152 * 256 * 1024, 0)]
    [TestCase("attention B16 H6 N197 D64", 4, 4.0 * 16 * 6 * 197 * 197 * 64, 0)]
    [TestCase("attention_training B16 H6 N50 D64", 4, 12.0 * 16 * 6 * 50 * 50 * 64, 0)]
    [TestCase("attention Swin B16 H3 N49 D32", 4, 4.0 * 16 * 64 * 3 * 49 * 49 * 32, 0)]
    [TestCase("attention LoMaR B64 H6 N50 D64", 4, 4.0 * 64 * 6 * 50 * 50 * 64 * 1.5, 0)]  // + 2 N 50 D for the table
    [TestCase("layer_norm 3152 x 384", 2, 0, 4.0 * 3152 * 384 * 2)]
    [TestCase("gelu_backward 3152 x 1536", 4, 0, 3.0 * 3152 * 1536 * 4)]
    [TestCase("patchify B16 224 px, 49 kept", 2, 0, 16.0 * 49 * 768 * 6)]
    [TestCase("masked_loss B16 224 px, 147 hidden", 4, 0, 16.0 * 147 * 768 * 12)]
    [TestCase("restore_tokens B16 50->197 x 256", 4, 0, 16.0 * 247 * 256 * 4)]
    [TestCase("low_pass B16 224 px, radius 40", 4, 0, 2.0 * 16 * 3 * 224 * 224 * 4)]
    [TestCase("adamw 25 M", 4, 0, 32.0 * 25e6)]
    [TestCase("adamw 25 M", 2, 0, 34.0 * 25e6)]
    public void The_work_of_an_op_is_counted(string name, int activation, double operations, double bytes) =>
        Assert.That(OpWork.Of(OpCases.Of(DeviceKind.Cpu).Single(c => c.Name == name), activation), Is.EqualTo(new OpWork(operations, bytes)));

    [Test]
    public void Rounds_become_a_median_a_share_and_a_ratio()
    {
        OpCase[] cases = [OpCase.Of("product", OpNames.Linear, ("rows", 1000), ("inputs", 1000), ("outputs", 500))];  // 10⁹ operations
        var ceiling = new Ceiling(F32Gflops: 400, Bf16Gflops: 0, ReadGbytes: 20, UpdateGbytes: 40, TriadGbytes: 30);
        static OpMeasurement Round(double milliseconds) =>
            new() { Ops = [new OpTime("other", 1, 1, 1), new OpTime("product", milliseconds, milliseconds - 1, milliseconds + 1)] };
        var task = Task(cases, Precision.F32);
        var compared = OpComparison.Of(task, ceiling, [Round(4), Round(5), Round(10)], [Round(8), Round(15), Round(40)])[0];
        var alone = OpComparison.Of(task, ceiling, [Round(5)], [])[0];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(compared.Time.Median, Is.EqualTo(5));
            Assert.That(compared.Share, Is.EqualTo(0.5));                       // 200 of 400 GFLOP/s
            Assert.That(compared.TimeRatio, Is.EqualTo(Spread.Of([2, 3, 4])));
            Assert.That(compared.PeerTime!.Value.Median, Is.EqualTo(15));
            Assert.That(alone.TimeRatio, Is.Null);
            Assert.That((alone.Time.Lower, alone.Time.Upper), Is.EqualTo((4.0, 6.0)));
            Assert.That(
                () => OpComparison.Of(task, ceiling, [Round(5)], [new OpMeasurement { Ops = [] }]),
                Throws.TypeOf<InvalidDataException>().With.Message.Contains("'product'"));
        }
    }

    private static BenchmarkTask Task(IReadOnlyList<OpCase> ops, Precision precision) =>
        new() { Name = "ops", Ops = ops, Threads = 1, Precision = precision, Seconds = 0 };
}
