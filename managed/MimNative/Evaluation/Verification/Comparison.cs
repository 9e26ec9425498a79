namespace MimNative.Evaluation.Verification;

/// <summary>One tensor of a recorded case against this library's.</summary>
/// <param name="Tensor">Its name in the file.</param>
/// <param name="Measure">What the error is: a relative L2 norm, a count of wrong entries, ...</param>
/// <param name="Error">The error; NaN where the tensor could not be compared.</param>
/// <param name="Tolerance">The largest error that passes.</param>
public sealed record Comparison(string Tensor, string Measure, double Error, double Tolerance)
{
    /// <summary>Whether the error is within the tolerance.</summary>
    public bool Passed => Error <= Tolerance;
}

/// <summary>All comparisons of one file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Case">What the file says it is.</param>
/// <param name="Comparisons">Tensor by tensor.</param>
/// <param name="Problem">Why the case could not be rebuilt, as a sentence; null where it could.</param>
public sealed record VerificationResult(
    string Path, string Case, IReadOnlyList<Comparison> Comparisons, string? Problem)
{
    /// <summary>Whether the case was rebuilt and every tensor is within its tolerance.</summary>
    public bool Passed => Problem is null && Comparisons.Count > 0 && Comparisons.All(c => c.Passed);
}

/// <summary>The tolerances of a 32-bit float implementation against references computed in double.</summary>
public static class Tolerance
{
    /// <summary>Losses: relative.</summary>
    public const double Loss = 1e-5;

    /// <summary>Outputs: relative L2 norm.</summary>
    public const double Output = 1e-5;

    /// <summary>Gradients: relative L2 norm of a tensor. 1e-4 would miss a wrong LayerNorm epsilon.</summary>
    public const double Gradient = 2e-5;

    /// <summary>Learning rates: relative.</summary>
    public const double LearningRate = 1e-6;

    /// <summary>Parameter updates (final minus initial): relative L2 norm of a tensor.</summary>
    public const double Update = 1e-3;
}

/// <summary>Gathers comparisons while a case is rebuilt.</summary>
public sealed class Comparisons
{
    private readonly List<Comparison> _all = [];

    /// <summary>What was gathered.</summary>
    public IReadOnlyList<Comparison> All => _all;

    /// <summary>||got - want|| / ||want||.</summary>
    public void Norm(string tensor, ReadOnlySpan<float> got, ReadOnlySpan<float> want, double tolerance)
    {
        if (got.Length != want.Length)
        {
            _all.Add(new Comparison(tensor, $"{got.Length} values, expected {want.Length}", double.NaN, tolerance));
            return;
        }
        double error = 0, norm = 0;
        for (var i = 0; i < want.Length; i++)
        {
            var difference = (double)got[i] - want[i];
            error += difference * difference;
            norm += (double)want[i] * want[i];
        }
        _all.Add(new Comparison(tensor, "relative L2", norm > 0 ? Math.Sqrt(error / norm) : Math.Sqrt(error), tolerance));
    }

    /// <summary>The largest |got - want| / |want|.</summary>
    public void Relative(string tensor, ReadOnlySpan<float> got, ReadOnlySpan<float> want, double tolerance)
    {
        var worst = got.Length == want.Length ? 0 : double.NaN;
        for (var i = 0; i < want.Length && !double.IsNaN(worst); i++)
        {
            var difference = Math.Abs((double)got[i] - want[i]);
            var relative = difference == 0 ? 0 : difference / Math.Abs(want[i]);
            worst = double.IsNaN(relative) ? double.NaN : Math.Max(worst, relative);
        }
        _all.Add(new Comparison(tensor, "relative", worst, tolerance));
    }

    /// <summary>The largest |got - want|.</summary>
    public void Absolute(string tensor, ReadOnlySpan<float> got, ReadOnlySpan<float> want, double tolerance)
    {
        var worst = got.Length == want.Length ? 0 : double.NaN;
        for (var i = 0; i < want.Length && !double.IsNaN(worst); i++)
        {
            var difference = Math.Abs((double)got[i] - want[i]);
            worst = double.IsNaN(difference) ? double.NaN : Math.Max(worst, difference);
        }
        _all.Add(new Comparison(tensor, "absolute", worst, tolerance));
    }

    /// <summary>How many entries differ; none may.</summary>
    public void Exact<T>(string tensor, ReadOnlySpan<T> got, ReadOnlySpan<T> want) where T : IEquatable<T>
    {
        var wrong = Math.Abs(got.Length - want.Length);
        for (var i = 0; i < Math.Min(got.Length, want.Length); i++)
        {
            wrong += got[i].Equals(want[i]) ? 0 : 1;
        }
        _all.Add(new Comparison(tensor, "wrong entries", wrong, 0));
    }
}
