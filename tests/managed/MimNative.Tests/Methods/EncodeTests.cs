using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Methods;

/// <summary>Features of whole images, of every method.</summary>
public sealed class EncodeTests
{
    [TestCaseSource(typeof(MethodTests), nameof(MethodTests.Methods))]
    public void Every_image_has_a_token_for_every_place(string settings)
    {
        using var small = new SmallMethod(settings.Split(' '));
        if (settings.Contains("method=lomar", StringComparison.Ordinal) && settings.Contains("relative_position=bias", StringComparison.Ordinal))
        {
            Assert.That(
                () => small.Method.Encode(small.Images(small.Step, 0, 1), small.Step, out _),
                Throws.TypeOf<NotSupportedException>().With.Message.Contains("window"));
            return;
        }
        var tokens = small.Method.Encode(small.Images(small.Step, 3, 2), small.Step, out var places);
        var both = small.Step.ToArray<float>(tokens);
        var second = small.Step.ToArray<float>(small.Method.Encode(small.Images(small.Step, 4, 1), small.Step, out _));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(tokens.Shape[..2], Is.EqualTo(new long[] { 2, (places.Rows * places.Columns) + (places.ClassToken ? 1 : 0) }));
            Assert.That(tokens[2], Is.EqualTo(small.Recipe.OutputDim()));
            Assert.That(places.Rows * small.Recipe.Stride(), Is.EqualTo(small.Recipe.Image.Height));
            Assert.That(GradientCheck.RelativeError(both[(both.Length / 2)..], second), Is.LessThan(1e-6), "images do not see each other");
        }
    }

    // The buckets of an encoder that was made for the whole image: the tables are the same, only the offsets are more.
    [Test]
    public void An_encoder_of_windows_sees_a_whole_image_with_the_buckets_of_all_its_offsets()
    {
        var grid = new PatchGrid(16, 24, 3, 4);
        var settings = new VitSettings(grid, 8, 2, 2)
        {
            Position = PositionKind.None,
            RelativePosition = RelativePositionKind.Contextual,
            MaskToken = MaskTokenKind.Learned,
        };
        float[] Encoded((int, int)? window)
        {
            using var run = TestRun.On(Device.Cpu, seed: 8);
            var encoder = new VitEncoder(run.Store.Root, settings with { Window = window });
            run.Allocate();
            return run.Step.ToArray<float>(encoder.Forward(run.Random(2, 3, 16, 24), run.Step));
        }
        Assert.That(Encoded((2, 2)), Is.EqualTo(Encoded(null)));
    }
}
