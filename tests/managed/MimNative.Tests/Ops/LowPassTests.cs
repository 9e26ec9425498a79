using System.Globalization;
using System.Text.Json;
using MimNative.Export;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

/// <summary>The low pass against the targets and filters of PixMIM's published code.</summary>
public sealed class LowPassTests
{
    private static readonly string[] Names =
        ["pixmim_target_224", "pixmim_target_48x72", "pixmim_target_extreme_32", "pixmim_target_odd_33x45"];

    private static IEnumerable<TestCaseData> Filters()
    {
        foreach (var name in Names)
        {
            using var file = Golden.Open(name);
            foreach (var radius in JsonSerializer.Deserialize<float[]>(file.Metadata["radii"])!)
            {
                yield return new TestCaseData(name, radius).SetArgDisplayNames(
                    name, radius.ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    [TestCaseSource(nameof(Filters))]
    public void A_target_is_the_recorded_one(string name, float radius)
    {
        using var run = TestRun.On(Device.Cpu);
        using var file = Golden.Open(name);
        var want = file.ReadFloats("target/" + Radius(radius));
        var got = Filtered(run, file, radius, LowPassMode.Exact);
        Assert.That(RelativeNorm(got, want), Is.LessThan(1e-6));
    }

    /// <summary>
    /// Of a wave the filter leaves nothing, half, or all, as it keeps neither, one or both of its two bins: so the energy that is
    /// left counts them.
    /// </summary>
    [TestCaseSource(nameof(Filters))]
    public void The_bins_kept_are_the_recorded_ones(string name, float radius)
    {
        using var run = TestRun.On(Device.Cpu);
        using var file = Golden.Open(name);
        int height = Size(file, "height"), width = Size(file, "width");
        var filter = file.ReadBytes("filter/" + Radius(radius));
        // the file's filter has frequency 0 in the middle
        int Kept(int k, int l) =>
            filter[((((k % height) + (height / 2)) % height) * width) + (((l % width) + (width / 2)) % width)];

        // all rows of a small filter; of a large one some through the disc, at its edge and outside
        int edge = (int)radius;
        int[] rows = height * width > 10000 ? [0, edge / 2, edge - 1, edge, height / 2] : [.. Enumerable.Range(0, (height / 2) + 1)];
        foreach (var k in rows)
        {
            run.Step.Begin();
            var waves = new float[width * height * width];
            for (var l = 0; l < width; ++l)
            {
                for (var i = 0; i < height * width; ++i)
                {
                    var turns = ((double)k * (i / width) / height) + ((double)l * (i % width) / width);
                    waves[(l * height * width) + i] = (float)Math.Cos(2 * Math.PI * turns);
                }
            }
            run.Step.Reserve(3L * sizeof(float) * waves.Length);
            var left = run.Step.ToArray<float>(Ops.LowPass(
                run.Step.FromHost<float>(waves, width, 1, height, width), run.Step.FromHost<float>([0], 1),
                run.Step.FromHost<float>([1], 1), radius, LowPassMode.Exact, run.Step));
            for (var l = 0; l < width; ++l)
            {
                var energy = left.Skip(l * height * width).Take(height * width).Sum(v => (double)v * v) / (height * width);
                var bins = Kept(k, l) + Kept(height - k, width - l);
                var own = (2 * k) % height == 0 && (2 * l) % width == 0;
                Assert.That(energy, Is.EqualTo((own ? 0.5 : 0.25) * bins).Within(1e-5), $"bin {k}, {l}");
            }
        }
    }

    /// <summary>How far the two modes are apart, in the range 0 to 1 of pixels, at PixMIM's size and radius.</summary>
    [Test]
    public void The_symmetric_disc_is_near_the_exact_one()
    {
        using var run = TestRun.On(Device.Cpu);
        using var file = Golden.Open("pixmim_target_224");
        var deviation = Numbers(file, "std");
        var exact = Filtered(run, file, 40, LowPassMode.Exact);
        var symmetric = Filtered(run, file, 40, LowPassMode.Symmetric);
        var apart = exact.Zip(symmetric, (a, b) => Math.Abs(a - b))
            .Select((difference, i) => (double)difference * deviation[i / (224 * 224) % 3]).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(apart.Average(), Is.InRange(2e-3, 5e-3));
            Assert.That(apart.Max(), Is.InRange(1e-2, 2.5e-2));
        }
    }

    [TestCase(LowPassMode.Exact, "exact")]
    [TestCase(LowPassMode.Symmetric, "symmetric")]
    public void A_mode_has_the_name_that_recipes_use(LowPassMode mode, string name)
    {
        Assert.That(JsonSerializer.Serialize(mode), Is.EqualTo($"\"{name}\""));
        Assert.That(JsonSerializer.Deserialize<LowPassMode>($"\"{name}\""), Is.EqualTo(mode));
    }

    private static float[] Filtered(TestRun run, SafetensorsFile file, float radius, LowPassMode mode)
    {
        float[] mean = Numbers(file, "mean"), deviation = Numbers(file, "std");
        int height = Size(file, "height"), width = Size(file, "width"), pixels = height * width;
        var images = file.Contains("imgs")
            ? file.ReadFloats("imgs")
            : [.. file.ReadBytes("imgs_u8").Select(
                (value, i) => (float)(((value / 255.0) - mean[i / pixels % 3]) / deviation[i / pixels % 3]))];
        return run.Step.ToArray<float>(Ops.LowPass(
            run.Step.FromHost<float>(images, images.Length / (3 * pixels), 3, height, width), run.Step.FromHost<float>(mean, 3),
            run.Step.FromHost<float>(deviation, 3), radius, mode, run.Step));
    }

    // 11.5 is r11p5 in the names of tensors
    private static string Radius(float radius) =>
        "r" + radius.ToString(CultureInfo.InvariantCulture).Replace('.', 'p');

    private static int Size(SafetensorsFile file, string name) => int.Parse(file.Metadata[name], CultureInfo.InvariantCulture);

    private static float[] Numbers(SafetensorsFile file, string name) => JsonSerializer.Deserialize<float[]>(file.Metadata[name])!;

    private static double RelativeNorm(float[] got, float[] want) => Math.Sqrt(
        got.Zip(want, (a, b) => Math.Pow((double)a - b, 2)).Sum() / want.Sum(b => (double)b * b));
}
