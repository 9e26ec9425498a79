using System.Runtime.InteropServices;
using MimNative.Evaluation.Verification;
using MimNative.Export;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

public sealed class VerifierTests : FolderTests
{
    // The one kind of which the repository holds no file.
    private const string Elsewhere = "optimizer_simmim_swin";

    private static readonly string[] Kinds =
    [
        "mae", "simmim_vit", "simmim_swin", "lomar", "lomar_buckets", "pixmim", "convmae", "lsmae", "pixmim_target", "optimizer_mae",
        "optimizer_simmim_vit", Elsewhere, "attention", "attention_module", "layer_norm", "gelu", "losses", "tokens", "op_extras",
        "transforms", "sincos", "mask_counts", "lr_schedule_mae", "lr_schedule_simmim", "weight_decay_groups", "position_interpolation",
    ];

    private static IEnumerable<TestCaseData> Files() =>
        Golden.Files().Concat(Golden.FurtherFiles())
            .Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileNameWithoutExtension(path)));

    [Test]
    public void Every_kind_can_be_rebuilt_and_every_file_of_the_repository_is_of_one()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Verifier.KnownCases, Is.EquivalentTo(Kinds));
            Assert.That(Golden.Files().Select(KindOf).Distinct(), Is.EquivalentTo(Kinds.Except([Elsewhere])));
        }
    }

    [TestCaseSource(nameof(Files))]
    public void A_recorded_case_is_rebuilt_or_said_to_be_unknown(string path)
    {
        var result = Verify(path);
        if (!Kinds.Contains(KindOf(path)))
        {
            Assert.That(result.Problem, Is.EqualTo($"case '{KindOf(path)}' is not implemented yet"));
            Assert.That(result.Passed, Is.False);
            return;
        }
        Assert.That(result.Problem, Is.Null);
        Assert.That(result.Comparisons, Is.Not.Empty);
        Assert.That(result.Comparisons.Where(c => !c.Passed), Is.Empty);
        Assert.That(result.Passed);
    }

    [Test]
    public void The_cases_of_a_whole_model_compare_every_tensor_that_was_recorded()
    {
        string path = Golden.Find("mae_normpix1");
        using var file = SafetensorsFile.Open(path);
        string[] inputs = ["imgs", "noise"];
        Assert.That(
            Verify(path).Comparisons.Select(c => c.Tensor),
            Is.SupersetOf(file.Entries.Select(e => e.Name)
                .Where(n => !inputs.Contains(n) && !n.StartsWith("param/", StringComparison.Ordinal))));
    }

    [TestCase("loss")]
    [TestCase("pred")]
    [TestCase("latent")]
    [TestCase("mask")]
    [TestCase("ids_keep")]
    [TestCase("loss_per_patch")]
    [TestCase("grad/blocks.0.norm1.weight")]
    [TestCase("grad/mask_token")]
    [TestCase("imgs")]
    [TestCase("param/decoder_pred.bias")]
    public void One_changed_number_fails(string tensor)
    {
        var result = Verify(Changed("mae_normpix1", tensor, bytes: data => ChangeOne(data, isIndex: tensor == "ids_keep")));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.Problem, Is.Null);
            Assert.That(result.Passed, Is.False);
            if (tensor != "imgs" && !tensor.StartsWith("param/", StringComparison.Ordinal))
            {
                Assert.That(result.Comparisons.Where(c => !c.Passed).Select(c => c.Tensor), Has.Some.EqualTo(tensor));
            }
        }
    }

    [Test]
    public void One_changed_number_of_any_tensor_of_the_single_operations_fails()
    {
        string[] tensors;
        int kept;  // the first token that is not removed: a removed one may be anything
        using (var file = Golden.Open("op_extras"))
        {
            tensors = [.. file.Entries.Select(e => e.Name)];
            kept = Array.FindIndex(file.ReadFloats("dwconv5/mask"), m => m != 0);
        }
        foreach (var tensor in tensors)
        {
            var result = Verify(Changed(
                "op_extras", tensor, bytes: data => ChangeOne(data, isIndex: tensor == "ce/labels", tensor == "dwconv5/x" ? kept : 0)));
            Assert.That(result.Problem, Is.Null, tensor);
            Assert.That(result.Passed, Is.False, tensor);
            Assert.That(
                result.Comparisons.Where(c => !c.Passed).Select(c => c.Tensor.Split('/')[0]),
                Is.All.StartsWith(tensor.Split('/')[0]), "another operation than the one whose number was changed");
        }
    }

    [Test]
    public void A_missing_tensor_is_named([Values("imgs", "noise", "param/cls_token", "latent")] string tensor)
    {
        var result = Verify(Changed("mae_normpix1", tensor, bytes: null));
        Assert.That(result.Problem, Does.Contain($"'{tensor}'"));
        Assert.That(result.Passed, Is.False);
    }

    [TestCase("mae_normpix1")]
    [TestCase("opt_mae_accum2")]
    [TestCase("lr_mae_cosine")]
    [TestCase("op_losses")]
    [TestCase("op_tokens")]
    [TestCase("op_layernorm_1e-5")]
    [TestCase("op_attn_n17_d16")]
    [TestCase("sincos_48_8x8")]
    [TestCase("mask_counts")]
    [TestCase("transforms")]
    public void A_file_without_one_of_its_settings_or_with_a_wrong_one_is_a_result_and_no_crash(string name)
    {
        using var file = Golden.Open(name);
        foreach (var (key, right) in file.Metadata)
        {
            // It is missing, is of the right kind and makes no sense, and is of no kind.
            foreach (var value in new[] { null, right[..1] switch { "[" => "[]", "{" => "{}", _ => char.IsDigit(right[0]) ? "-1" : "" }, "no" })
            {
                VerificationResult? result = null;
                Assert.That(
                    () => result = Verify(Rewritten(file, file.Entries.Select(Copy), key, value)), Throws.Nothing, $"{key} = {value}");
                Assert.That(result!.Problem, Is.Null.Or.Not.Empty);
            }
        }

        SafetensorsTensor Copy(SafetensorsEntry entry) =>
            new(entry.Name, entry.Type, entry.Shape, (offset, to) => file.ReadBytes(entry.Name, offset, to));
    }

    [Test]
    public void A_file_that_is_no_recorded_case_says_why()
    {
        File.WriteAllText(At("text.safetensors"), "not a tensor in sight");
        SafetensorsWriter.Save(At("nameless.safetensors"), [SafetensorsTensor.Of("a", new float[] { 1 }, 1)]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Verify(At("text.safetensors")).Problem, Is.Not.Null);
            Assert.That(Verify(At("nameless.safetensors")).Problem, Does.Contain("names no case"));
            Assert.That(Verify(At("absent.safetensors")).Problem, Does.Contain("absent.safetensors"));
        }
    }

    private static string KindOf(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Metadata["case"];
    }

    private static VerificationResult Verify(string path)
    {
        using var context = new Context(Device.Cpu, threads: 1);
        return Verifier.Verify(path, context);
    }

    // The low bit of an index; of other tensors one number by a thousandth of the norm.
    private static void ChangeOne(byte[] data, bool isIndex, int place = 0)
    {
        if (isIndex)
        {
            data[0] ^= 1;
            return;
        }
        var values = MemoryMarshal.Cast<byte, float>(data.AsSpan());
        values[place] += (float)(1e-3 * GradientCheck.Norm(values.ToArray())) + 1e-6f;
    }

    // A copy of a recorded file with one tensor changed, or left out.
    private string Changed(string name, string tensor, Action<byte[]>? bytes)
    {
        using var file = Golden.Open(name);
        Assert.That(file.Contains(tensor), tensor);
        var tensors = file.Entries.Where(e => e.Name != tensor || bytes is not null).Select(entry =>
        {
            var data = file.ReadBytes(entry.Name);
            if (entry.Name == tensor)
            {
                bytes!(data);
            }
            return new SafetensorsTensor(
                entry.Name, entry.Type, entry.Shape, (offset, to) => data.AsSpan((int)offset, to.Length).CopyTo(to));
        });
        return Rewritten(file, tensors, "", null);
    }

    private string Rewritten(SafetensorsFile file, IEnumerable<SafetensorsTensor> tensors, string key, string? value)
    {
        var settings = file.Metadata.Where(s => s.Key != key).ToDictionary();
        if (value is not null)
        {
            settings[key] = value;
        }
        SafetensorsWriter.Save(At("changed.safetensors"), tensors, settings);
        return At("changed.safetensors");
    }
}
