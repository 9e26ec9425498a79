using System.Diagnostics;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>
/// Times single ops again and again on the same numbers: what fits the caches lies there, as it does in a training step. On the CPU each
/// call is timed; on a GPU bursts of calls that nobody waits for, by the device's clock.
/// </summary>
public static class OpBenchmark
{
    private const int WarmUp = 3, LongestBurst = 500;
    private const double BurstMilliseconds = 2;

    /// <summary>All ops of a task.</summary>
    public static OpMeasurement Measure(BenchmarkTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        using var context = new Context(Device.Parse(task.Device), task.Threads);
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
        using DeviceEvent first = new(context), last = new(context);
        var times = new List<double>();
        for (var i = 0; i < WarmUp; i++)
        {
            Timed(call, step, calls: 1, first, last);
        }
        var calls = context.Device.Kind == DeviceKind.Cpu
            ? 1
            : (int)Math.Clamp(BurstMilliseconds / Timed(call, step, calls: 1, first, last), 1, LongestBurst);
        for (var start = Stopwatch.GetTimestamp();
            times.Count < BenchmarkTask.LeastRepetitions || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;)
        {
            times.Add(Timed(call, step, calls, first, last));
        }
        var spread = Spread.Of(times);
        return new OpTime(op.Name, spread.Median, spread.Lower, spread.Upper);
    }

    // The time of a call, in milliseconds.
    private static double Timed(Action<Step> call, Step step, int calls, DeviceEvent first, DeviceEvent last)
    {
        first.Record();
        for (var i = 0; i < calls; i++)
        {
            step.Begin();
            call(step);
        }
        last.Record();
        return last.MillisecondsSince(first) / calls;
    }
}
