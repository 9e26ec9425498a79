using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class PatchEmbedTests(Device device)
{
    private static readonly PatchGrid Grid = new(Height: 8, Width: 12, Channels: 3, Patch: 4);

    [Test]
    public void Backward_matches_directional_derivative([Values] bool masked)
    {
        using var run = TestRun.On(device, seed: 11);
        var layer = new PatchEmbed(run.Store.Root, Grid, dim: 6);
        run.Allocate();
        GradientCheck.Layer(
            run, [2, 3, 8, 12],
            (Tensor x, Step step, out PatchEmbed.Saved saved) => layer.Forward(
                x, masked ? step.FromHost<int>([5, 0, 3, 2, 1, 4], 2, 3) : Tensor.None, step, out saved),
            (Tensor dy, in PatchEmbed.Saved saved, Step step) =>
            {
                var dimages = MimNative.Ops.Filled(0, DType.F32, step, 2, 3, 8, 12);
                layer.Backward(dy, dimages, saved, step);
                return dimages;
            });
    }

    [Test]
    public void The_embedding_is_a_convolution_whose_kernel_is_the_patch()
    {
        using var run = TestRun.On(device, seed: 12);
        var layer = new PatchEmbed(run.Store.Root, Grid, dim: 5);
        run.Allocate();
        float[] images = run.Numbers(3 * 8 * 12), weight = run.Step.ToArray<float>(run.Store["proj.weight"].Value);
        var bias = run.Step.ToArray<float>(run.Store["proj.bias"].Value);
        var got = run.Step.ToArray<float>(layer.Forward(
            run.Step.FromHost<float>(images, 1, 3, 8, 12), Tensor.None, run.Step, out _));
        for (var patch = 0; patch < 6; patch++)
        {
            for (var d = 0; d < 5; d++)
            {
                double want = bias[d];
                for (var i = 0; i < 48; i++)    // i = (c, row, column) of the kernel
                {
                    int c = i / 16, y = (patch / 3 * 4) + (i / 4 % 4), x = (patch % 3 * 4) + (i % 4);
                    want += (double)weight[(d * 48) + i] * images[(((c * 8) + y) * 12) + x];
                }
                Assert.That(got[(patch * 5) + d], Is.EqualTo(want).Within(1e-5));
            }
        }
    }

    [TestCase(8, 10, 3, 4)]
    [TestCase(9, 12, 3, 4)]
    [TestCase(8, 12, 0, 4)]
    [TestCase(8, 12, 3, 0)]
    public void Images_that_patches_do_not_divide_are_an_error(int height, int width, int channels, int patch) => Assert.That(
        new PatchGrid(height, width, channels, patch).Validate,
        Throws.ArgumentException.With.Message.Contains($"{height} x {width} x {channels}"));
}
