using MimNative.Export;
using MimNative.Runtime;
using MimNative.Tests.Evaluation;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

public sealed class ModelTests : FolderTests, IDisposable
{
    private readonly Context _context = new(Device.Cpu, threads: 1);

    public void Dispose() => _context.Dispose();

    [Test]
    public void What_was_saved_is_loaded_bit_for_bit()
    {
        using Model saved = SmallModel.Create(_context, "train.seed=1"), loaded = SmallModel.Create(_context, "train.seed=2");
        Assert.That(Values(loaded), Is.Not.EqualTo(Values(saved)));
        using var file = Save(saved.Tensors());
        loaded.Load(file);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Values(loaded), Is.EqualTo(Values(saved)));
            Assert.That(file.Entries.Select(e => e.Name), Is.EquivalentTo(saved.Store.Parameters.Select(p => p.Name)));
            Assert.That(file["patch_embed.proj.weight"].Shape, Is.EqualTo(new long[] { 16, 3, 8, 8 }));
            Assert.That(file.ReadFloats("pos_embed"), Is.EqualTo(Numbers(saved.Store["pos_embed"].Value)));
        }
    }

    [Test]
    public void The_optimisers_moments_are_loaded_bit_for_bit()
    {
        using Model saved = SmallModel.Create(_context), loaded = SmallModel.Create(_context);
        using var step = new Step(_context);
        foreach (var parameter in saved.Store.Parameters.Where(p => p.IsTrainable))
        {
            step.Upload<float>([.. Numbers(parameter.Value).Select(v => 3 * v)], ParameterStore.Part(saved.Store.Moment1, parameter));
            step.Upload<float>([.. Numbers(parameter.Value).Select(v => v * v)], ParameterStore.Part(saved.Store.Moment2, parameter));
        }
        using var file = Save(saved.Moments());
        loaded.LoadMoments(file);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Numbers(loaded.Store.Moment1), Is.EqualTo(Numbers(saved.Store.Moment1)));
            Assert.That(Numbers(loaded.Store.Moment2), Is.EqualTo(Numbers(saved.Store.Moment2)));
            Assert.That(Numbers(saved.Store.Moment2), Has.Some.GreaterThan(0));
        }
    }

    [Test]
    public void The_encoder_is_saved_without_the_decoder()
    {
        using var model = SmallModel.Create(_context);
        string[] names = [.. model.EncoderTensors().Select(t => t.Name)];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(names, Is.SupersetOf(new[] { "cls_token", "pos_embed", "blocks.0.attn.qkv.weight", "norm.weight" }));
            Assert.That(names, Has.None.Contains("decoder").And.None.EqualTo("mask_token"));
        }
    }

    [Test]
    public void Initial_weights_follow_from_recipe_and_seed()
    {
        using Model a = SmallModel.Create(_context, "train.seed=7"), b = SmallModel.Create(_context, "train.seed=7");
        Assert.That(Values(a), Is.EqualTo(Values(b)));
    }

    [Test]
    public void A_missing_tensor_is_named() => Assert.That(
        () => LoadChanged(tensors => tensors.Where(t => t.Name != "blocks.0.norm2.bias")),
        Throws.TypeOf<InvalidFileException>().With.Message.Contains("'blocks.0.norm2.bias' is missing"));

    [Test]
    public void A_tensor_of_another_shape_is_named_with_both_shapes() => Assert.That(
        () => LoadChanged(tensors => tensors.Where(t => t.Name != "norm.weight").Append(SafetensorsTensor.Of("norm.weight", new float[8], 8))),
        Throws.TypeOf<InvalidFileException>().With.Message.Contains("'norm.weight' has shape (8), the model of recipe 'demo' expects (16)"));

    [Test]
    public void A_tensor_too_many_is_named() => Assert.That(
        () => LoadChanged(tensors => tensors.Append(SafetensorsTensor.Of("head.weight", new float[4], 4))),
        Throws.TypeOf<InvalidFileException>().With.Message.Contains("'head.weight' is no parameter"));

    [Test]
    public void Positions_that_LoMaR_does_not_use_may_stand_in_a_file()
    {
        using var lomar = SmallModel.Create(_context, "method=lomar", "decoder.kind=linear", "mask.window=3");
        using var file = Save(lomar.Tensors().Append(SafetensorsTensor.Of("pos_embed", new float[16], 1, 1, 16)));
        Assert.That(() => lomar.Load(file), Throws.Nothing);
        Assert.That(lomar.Store.Contains("pos_embed"), Is.False);
    }

    [Test]
    public void Missing_moments_are_named()
    {
        using var model = SmallModel.Create(_context);
        using var file = Save(model.Moments().Where(t => t.Name != "norm.bias.exp_avg_sq"));
        Assert.That(
            () => model.LoadMoments(file),
            Throws.TypeOf<InvalidFileException>().With.Message.Contains("'norm.bias.exp_avg_sq' is missing"));
    }

    private void LoadChanged(Func<IEnumerable<SafetensorsTensor>, IEnumerable<SafetensorsTensor>> change)
    {
        using var model = SmallModel.Create(_context);
        using var file = Save(change(model.Tensors()));
        model.Load(file);
    }

    private SafetensorsFile Save(IEnumerable<SafetensorsTensor> tensors)
    {
        SafetensorsWriter.Save(At("model.safetensors"), tensors);
        return SafetensorsFile.Open(At("model.safetensors"));
    }

    private float[] Values(Model model) => Numbers(model.Store.Values);

    private float[] Numbers(Tensor tensor)
    {
        using var step = new Step(_context);
        return step.ToArray<float>(tensor);
    }
}
