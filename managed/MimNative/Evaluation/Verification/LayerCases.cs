using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Evaluation.Verification;

/// <summary>Single layers: attention, the attention module, LayerNorm, GELU.</summary>
internal static class LayerCases
{
    private static readonly string[] AttentionForms = ["plain", "bias"];

    /// <summary>q, k, v, dout are stored (B, H, N, D); the op reads them through views.</summary>
    public static void Attention(RecordedCase recorded, Comparisons compare, Step step)
    {
        var shape = recorded.Shape("q", 4);
        var scale = (float)(1 / Math.Sqrt(shape[3]));
        foreach (var form in AttentionForms.Where(f => recorded.Has($"{f}/out")))
        {
            Tensor Load(string name) => recorded.Load(name, step).Permute(0, 2, 1, 3);
            Tensor Like(string name) => step.Empty(DType.F32, recorded.Shape(name, 4));
            Tensor q = Load("q"), k = Load("k"), v = Load("v");
            Tensor dq = Like("q"), dk = Like("k"), dv = Like("v");
            var dy = step.Empty(DType.F32, shape[0], shape[2], shape[1], shape[3]);
            Ops.Copy(dy, Load("dout"), step);
            var bias = form == "bias" ? recorded.Load("bias", step) : Tensor.None;
            var dbias = bias.IsAbsent ? Tensor.None : Ops.Filled(0, DType.F32, step, bias.Shape);

            var position = new AttentionPosition { Bias = bias };
            var y = Ops.Attention(q, k, v, position, scale, step, out var lse);
            Ops.AttentionBackward(
                dq.Permute(0, 2, 1, 3), dk.Permute(0, 2, 1, 3), dv.Permute(0, 2, 1, 3), dbias, Tensor.None, dy, q, k, v, position, y,
                lse, scale, step);
            var output = Like("q");
            Ops.Copy(output, y.Permute(0, 2, 1, 3), step);

            void Compare(string name, Tensor got, double tolerance) => compare.Norm(
                $"{form}/{name}", step.ToArray<float>(got), recorded.Floats($"{form}/{name}"), tolerance);
            Compare("out", output, Tolerance.Output);
            Compare("lse", lse, Tolerance.Output);
            Compare("dq", dq, Tolerance.Gradient);
            Compare("dk", dk, Tolerance.Gradient);
            Compare("dv", dv, Tolerance.Gradient);
            if (!dbias.IsAbsent)
            {
                Compare("dbias", dbias, Tolerance.Gradient);
            }
        }
    }

    /// <summary>qkv, attention and output projection together.</summary>
    public static void AttentionModule(RecordedCase recorded, Comparisons compare, Step step)
    {
        var shape = recorded.Shape("x", 3);
        using var store = new ParameterStore();
        var module = new Attention(store.Root, shape[2], recorded.Integer("heads"));
        store.Allocate(step.Context);
        recorded.LoadParameters(store, "param/", step);

        var y = module.Forward(recorded.Load("x", step).Rows(), shape[0], step, out var saved);
        var dx = module.Backward(recorded.Load("dy", step).Rows(), saved, step);
        compare.Norm("y", step.ToArray<float>(y), recorded.Floats("y"), Tolerance.Output);
        compare.Norm("dx", step.ToArray<float>(dx), recorded.Floats("dx"), Tolerance.Gradient);
        CompareGradients(recorded, compare, store, step);
    }

    /// <summary>Numbered inputs of one epsilon each.</summary>
    public static void LayerNorm(RecordedCase recorded, Comparisons compare, Step step)
    {
        foreach (var i in recorded.Tensors.Where(t => t.EndsWith("/x", StringComparison.Ordinal)).Select(t => t[..^2]))
        {
            Tensor Rows(string name) => recorded.Load($"{i}/{name}", step).Rows();
            var gamma = recorded.Load($"{i}/weight", step);
            var y = Ops.LayerNorm(
                Rows("x"), Tensor.None, gamma, recorded.Load($"{i}/bias", step), (float)recorded.Number("eps"), step,
                out var sum, out var mean, out var rstd);
            var dgamma = Ops.Filled(0, DType.F32, step, gamma[0]);
            var dbeta = Ops.Filled(0, DType.F32, step, gamma[0]);
            var dx = Ops.LayerNormBackward(Rows("dy"), Tensor.None, sum, mean, rstd, gamma, dgamma, dbeta, step);

            void Compare(string name, Tensor got, double tolerance) =>
                compare.Norm($"{i}/{name}", step.ToArray<float>(got), recorded.Floats($"{i}/{name}"), tolerance);
            Compare("y", y, Tolerance.Output);
            Compare("mean", mean, Tolerance.Output);
            Compare("rstd", rstd, Tolerance.Output);
            Compare("dx", dx, Tolerance.Gradient);
            Compare("dweight", dgamma, Tolerance.Gradient);
            Compare("dbias", dbeta, Tolerance.Gradient);
        }
    }

    /// <summary>Element by element.</summary>
    public static void Gelu(RecordedCase recorded, Comparisons compare, Step step)
    {
        var x = recorded.Load("x", step);
        var y = Ops.Gelu(x, step);
        var dx = Ops.GeluBackward(recorded.Load("dy", step), x, step);
        compare.Norm("y", step.ToArray<float>(y), recorded.Floats("y"), Tolerance.Output);
        compare.Norm("dx", step.ToArray<float>(dx), recorded.Floats("dx"), Tolerance.Gradient);
    }

    /// <summary>Every gradient of a store against <c>grad/{name}</c>.</summary>
    public static void CompareGradients(RecordedCase recorded, Comparisons compare, ParameterStore store, Step step)
    {
        foreach (var parameter in store.Parameters.Where(p => p.IsTrainable))
        {
            compare.Norm(
                $"grad/{parameter.Name}", step.ToArray<float>(parameter.Grad), recorded.Floats($"grad/{parameter.Name}"),
                Tolerance.Gradient);
        }
    }
}
