using MimNative.Evaluation;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Tests.Data;
using MimNative.Tests.Methods;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

/// <summary>
/// The weights made again on the host against the kernel's own answers, over every method: plain attention, biases, shifted windows,
/// contextual buckets.
/// </summary>
public sealed class AttentionProbeTests
{
    [TestCaseSource(typeof(MethodTests), nameof(MethodTests.Methods))]
    public void Weights_are_those_of_the_kernel(string settings)
    {
        using var look = new Looking(settings.Split(' '));
        foreach (var layer in look.Everything())
        {
            Assert.That(layer.Error(), Is.LessThan(2e-6), $"{layer.Name} of {layer.Parameters}");
            var weights = new double[layer.Tokens];
            for (var head = 0; head < layer.Heads; head++)
            {
                for (var query = 0; query < layer.Tokens; query++)
                {
                    layer.Weights(layer.Sequences - 1, head, query, weights);
                    Assert.That(weights.Sum(), Is.EqualTo(1).Within(1e-12), $"{layer.Name}, head {head}, query {query}");
                    Assert.That(weights, Has.All.InRange(0, 1));
                }
            }
        }
    }

    // In the first block a key knows nothing but its own patch.
    [TestCaseSource(typeof(MethodTests), nameof(MethodTests.Methods))]
    public void A_changed_patch_changes_the_keys_that_stand_for_it(string settings)
    {
        using var look = new Looking(settings.Split(' '));
        var grid = look.Probe.Grid;
        var hidden = look.Hidden;
        // Convolutions carry a patch to its neighbours, but neither through hidden ones nor from corner to corner.
        var isConvolutional = settings.Contains("conv_vit", StringComparison.Ordinal);
        if (isConvolutional)
        {
            hidden.AsSpan().Fill(true);
            hidden[0] = hidden[^1] = false;
        }
        var patch = Array.LastIndexOf(hidden, false);
        var before = look.Everything(hidden).Where(l => l.Name == "encoder.0").ToList();
        for (var i = 0; i < grid.Patch * grid.Patch; i++)
        {
            int y = (patch / grid.Columns * grid.Patch) + (i / grid.Patch), x = (patch % grid.Columns * grid.Patch) + (i % grid.Patch);
            look.Picture.Pixels.Slice(((y * grid.Width) + x) * 3, 3).Reverse();
            look.Picture.Pixels[((y * grid.Width) + x) * 3] ^= 0x55;
        }
        var after = look.Everything(hidden).Where(l => l.Name == "encoder.0").ToList();
        Assert.That(before, Is.Not.Empty);
        foreach (var (a, b) in before.Zip(after))
        {
            Assert.That(a.TokenAt(patch), Is.Not.Null);
            for (var i = 0; i < a.Sequences * a.Tokens; i++)
            {
                int sequence = i / a.Tokens, token = i % a.Tokens;
                var stands = a.PatchOf(sequence, token) == patch;
                if (stands || !isConvolutional || a.Tokens < grid.Count)
                {
                    var same = a.KeyOf(sequence, 0, token).SequenceEqual(b.KeyOf(sequence, 0, token));
                    Assert.That(same, Is.Not.EqualTo(stands), $"token {token} of sequence {sequence}, patch {patch}");
                }
            }
        }
    }

    [TestCase("method=mae", "encoder.0 encoder.1 decoder.0")]
    [TestCase("method=simmim mask.patch=8 inverse_swin", "encoder.0 encoder.1 decoder.0 decoder.1 decoder.2")]
    [TestCase("encoder.kind=swin", "encoder.0 encoder.1 encoder.2")]
    [TestCase("method=lomar", "encoder.0 encoder.1")]
    public void Layers_are_counted_in_encoder_and_decoder(string method, string names)
    {
        using var look = new Looking(Settings(method));
        Assert.That(string.Join(' ', look.Probe.Layers), Is.EqualTo(names));
        Assert.That(look.Probe.Choose("all"), Is.EqualTo(names.Split(' ')));
        Assert.That(look.Probe.Choose("encoder.1, encoder.0"), Is.EqualTo(new[] { "encoder.1", "encoder.0" }));
    }

    [TestCase("method=mae", "encoder.2", "there is no layer 'encoder.2', expected all, encoder.0 to encoder.1 or decoder.0")]
    [TestCase("method=mae", "encoder.0,head", "there is no layer 'head', expected all")]
    [TestCase("method=lomar", "decoder.0", "there is no layer 'decoder.0', expected all, encoder.0 to encoder.1")]
    public void A_layer_that_is_not_there_is_named(string method, string layer, string sentence)
    {
        using var look = new Looking(Settings(method));
        Assert.That(() => look.Probe.Choose(layer), Throws.ArgumentException.With.Message.StartsWith(sentence));
    }

    [Test]
    public void Windows_with_biases_cannot_be_looked_at_as_a_whole()
    {
        using var look = new Looking(Settings("method=lomar relative_position=bias"));
        Assert.That(() => look.Probe.Whole(look.Picture, look.Probe.Layers), Throws.TypeOf<NotSupportedException>().With.Message.Contains("window"));
        Assert.That(look.Probe.Masked(look.Picture, look.Hidden, look.Probe.Layers), Has.Count.EqualTo(2));
    }

    // The first method whose settings hold all of these.
    private static string[] Settings(string method) => MethodTests.Methods().Select(m => (string)m.Arguments[0]!)
        .First(s => method.Split(' ').All(part => s.Contains(part, StringComparison.Ordinal))).Split(' ');

    // A model with moved parameters, so that tables and biases are not zero, and a picture of its size.
    private sealed class Looking : IDisposable
    {
        private readonly Context _context = new(Device.Cpu, threads: 1);
        private readonly Model _model;

        public Looking(string[] settings)
        {
            _model = new Model(Recipe.FromJson("{}", "test", settings), _context);
            using (var step = new Step(_context))
            {
                TestRun.Move(_model.Store, step);
            }
            Probe = new AttentionProbe(_model);
            Picture = Pictures.Noise(_model.Recipe.Image.Height, _model.Recipe.Image.Width, seed: 7);
        }

        public AttentionProbe Probe { get; }

        public Image Picture { get; }

        public bool[] Hidden => Probe.RandomMask(seed: 1, sample: 2);

        public IReadOnlyList<AttentionLayer> Everything(bool[]? hidden = null)
        {
            var masked = Probe.Masked(Picture, hidden ?? Hidden, Probe.Layers);
            try
            {
                return [.. Probe.Whole(Picture, Probe.Layers), .. masked];
            }
            catch (NotSupportedException)
            {
                return masked;
            }
        }

        public void Dispose()
        {
            Picture.Dispose();
            Probe.Dispose();
            _model.Dispose();
            _context.Dispose();
        }
    }
}
