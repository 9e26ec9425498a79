using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Methods;

/// <summary>In the steady state a training step makes no managed object: nothing is left for a garbage collector to do.</summary>
[NonParallelizable]  // a collection, whoever causes it, counts what is left of this thread's share of memory as allocated
public sealed class AllocationTests
{
    private const int WarmUp = 3, Measured = 5, Batch = 5;

    [TestCaseSource(typeof(MethodTests), nameof(MethodTests.Methods))]
    public void A_step_allocates_nothing(string settings) => RequireNothing(new SmallMethod(settings.Split(' ')));

    [Test]
    public void A_step_in_bf16_allocates_nothing() => RequireNothing(
        new SmallMethod(DType.BF16, ((string)MethodTests.Methods().First().Arguments[0]!).Split(' ')));

    // Two micro-steps and an update each time, masks and depth drawn anew.
    private static void RequireNothing(SmallMethod small)
    {
        using var model = small;
        using var step = new Step(model.Step.Context) { Compute = model.Step.Compute };
        step.Plan(planned => model.Pass(planned, 0, Batch));
        var image = model.Recipe.Image;
        float[] pixels = [.. Enumerable.Range(0, Batch).SelectMany(i => SmallMethod.Picture(i, image.Channels, image.Height, image.Width))];
        long[] samples = [0, 1, 2, 3, 4];
        void Train(int epoch)
        {
            for (var micro = 0; micro < 2; micro++)
            {
                step.Begin();
                var loss = step.Empty(DType.F32, 1);
                var images = step.FromHost<float>(pixels, Batch, image.Channels, image.Height, image.Width);
                samples[0] = micro;
                model.Method.TrainStep(loss, images, new BatchKey(samples, Seed: 1, epoch), step, gradScale: 0.5f);
            }
            model.Update(1e-3);
        }
        for (var i = 0; i < WarmUp; i++)
        {
            Train(i);
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Measured; i++)
        {
            Train(WarmUp + i);
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.Zero, "bytes");
    }
}
