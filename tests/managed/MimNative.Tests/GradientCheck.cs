using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

/// <summary>
/// Backward passes against directional derivatives: for a random direction u, g · u must be the derivative of the loss along u.
/// </summary>
/// <remarks>
/// Every parameter, and the input, has directions of its own, so that a large gradient cannot hide an error in a small one. Each
/// element of a direction is ±1: g · u then has the size of ||g||, and an error of the gradient shows as the same share of it.
/// The derivative is the difference quotient of fourth order, (8 (L(h) - L(-h)) - (L(2h) - L(-2h))) / 12 h. In 32-bit floats its
/// error is rounding / h + curvature · h^4; with h = 2^-7 both are near 1e-4 of the gradients here; what is curved more, as one
/// LayerNorm behind another, takes a shorter step. The plain central difference would need a step so small that rounding alone
/// were one percent. The test allows 2e-3 of ||g||, and for gradients that are zero (a key's bias) the rounding of the loss over h.
/// </remarks>
internal static class GradientCheck
{
    private const double Tolerance = 2e-3;
    private const double Length = 1.0 / 128;

    /// <summary>The forward pass of a layer.</summary>
    public delegate Tensor ForwardPass<TSaved>(Tensor x, Step step, out TSaved saved);

    /// <summary>The backward pass of a layer.</summary>
    public delegate Tensor BackwardPass<TSaved>(Tensor dy, in TSaved saved, Step step);

    /// <summary>Numbers that a loss depends on, and what a backward pass says about them.</summary>
    internal sealed record Variable(string Name, float[] Values, Action<float[]> Set, float[] Gradient);

    /// <summary>
    /// Checks a layer whose parameters lie in the run's store: the gradients of the input and of each parameter, for the loss
    /// sum(r y) with random r; and that the gradients of parameters are added to what was there.
    /// </summary>
    public static void Layer<TSaved>(
        TestRun run, long[] input, ForwardPass<TSaved> forward, BackwardPass<TSaved> backward, double h = Length)
    {
        run.Step.Begin();
        var x = run.Numbers(Tensor.CountOf(input));
        var outputs = run.Step.ToArray<float>(forward(run.Step.FromHost<float>(x, input), run.Step, out _));
        var weights = run.Numbers(outputs.Length);

        // Gradients begin at one: a backward pass has to add to them.
        run.Step.Begin();
        MimNative.Ops.Fill(run.Store.Grads, 1, run.Step);
        var y = forward(run.Step.FromHost<float>(x, input), run.Step, out var saved);
        var dx = backward(run.Step.FromHost<float>(weights, y.Shape), saved, run.Step);
        var ofInput = new Variable("the input", x, values => x = values, run.Step.ToArray<float>(dx));
        Variable[] variables = [ofInput, .. Parameters(run.Store, run.Step).Select(p => p with { Gradient = [.. p.Gradient.Select(g => g - 1)] })];

        double Loss()
        {
            run.Step.Begin();
            var got = run.Step.ToArray<float>(forward(run.Step.FromHost<float>(x, input), run.Step, out _));
            return got.Zip(weights, (a, b) => (double)a * b).Sum();
        }
        Check(new Random(1), variables, Loss, rounding: 1e-6 * Norm(outputs), h);
    }

    /// <summary>The trained parameters of a store, with the gradients that lie there now.</summary>
    public static IEnumerable<Variable> Parameters(ParameterStore store, Step step) =>
        store.Parameters.Where(p => p.IsTrainable).Select(p => new Variable(
            p.Name, step.ToArray<float>(p.Value), values => step.Upload<float>(values, p.Value), step.ToArray<float>(p.Grad)));

    /// <summary>Checks the gradients of a loss that is known up to <paramref name="rounding"/>.</summary>
    /// <remarks>
    /// Along one direction an error of a tenth of a gradient passes by chance once in sixty times, along two once in four thousand.
    /// </remarks>
    public static void Check(
        Random random, IReadOnlyCollection<Variable> variables, Func<double> loss, double rounding, double h = Length, int directions = 2)
    {
        using var _ = Assert.EnterMultipleScope();
        foreach (var variable in variables)
        {
            for (var i = 0; i < directions; i++)
            {
                int[] direction = [.. variable.Values.Select(_ => random.Next(2) == 0 ? -1 : 1)];
                double At(double steps)
                {
                    variable.Set([.. variable.Values.Zip(direction, (v, d) => (float)(v + (steps * h * d)))]);
                    return loss();
                }
                var want = ((8 * (At(1) - At(-1))) - (At(2) - At(-2))) / (12 * h);
                variable.Set(variable.Values);
                var got = variable.Gradient.Zip(direction, (g, d) => (double)g * d).Sum();
                Assert.That(
                    got, Is.EqualTo(want).Within((Tolerance * Norm(variable.Gradient)) + (rounding / h)),
                    $"the derivative along a direction of {variable.Name}, whose gradient has norm {Norm(variable.Gradient)}");
            }
        }
    }

    public static double Norm(IEnumerable<float> values) => Math.Sqrt(values.Sum(v => (double)v * v));

    /// <summary>||a - b|| / ||b||.</summary>
    public static double RelativeError(IEnumerable<float> a, IReadOnlyCollection<float> b) =>
        Norm(a.Zip(b, (x, y) => x - y)) / Norm(b);
}
