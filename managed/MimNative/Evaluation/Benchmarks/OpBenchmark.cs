using System.Diagnostics;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>Times single ops, call by call, on the same numbers: what fits the caches lies there, as it does in a training step.</summary>
public static class OpBenchmark
{
    private const int WarmUp = 3;

    /// <summary>All ops of a task.</summary>
    public static OpMeasurement Measure(BenchmarkTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        using var context = new Context(Device.Cpu, task.Threads);
        Precisions.Require(task.Precision, context);
        var type = Precisions.Type(task.Precision);
        return new OpMeasurement
        {
            Ops = [.. task.Ops.Select(op => Measure(op, type, task.Seconds, context))],
            Description = context.Description,
        };
    }

    private static OpTime Measure(OpCase op, DType type, double seconds, Context context)
    {
        using Step inputs = new(context) { Compute = type }, step = new(context) { Compute = type };
        Action<Step>? call = null;
        inputs.Plan(planned => call = OpCalls.Of(op, type, planned));
        step.Plan(call!);
        call = OpCalls.Of(op, type, inputs);
        var times = new List<double>();
        for (var i = 0; i < WarmUp; i++)
        {
            Timed(call, step);
        }
        for (var start = Stopwatch.GetTimestamp();
            times.Count < BenchmarkTask.LeastRepetitions || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;)
        {
            times.Add(Timed(call, step));
        }
        var spread = Spread.Of(times);
        return new OpTime(op.Name, spread.Median, spread.Lower, spread.Upper);
    }

    private static double Timed(Action<Step> call, Step step)
    {
        step.Begin();
        var start = Stopwatch.GetTimestamp();
        call(step);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
