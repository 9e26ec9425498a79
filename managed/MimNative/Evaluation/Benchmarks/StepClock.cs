using MimNative.Runtime;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>
/// Times one step after the other by the device's own clock, each from the end of the step before it. A step is read when the next one
/// has been asked for, so that a GPU never runs out of work because somebody looks at its clock.
/// </summary>
internal sealed class StepClock : IDisposable
{
    private const int Ring = 3;

    private readonly DeviceEvent[] _begins, _ends;
    private readonly List<double> _milliseconds = new(4096);
    private double _idle;
    private int _begun = -1;

    /// <summary>The first step is timed from here on.</summary>
    public StepClock(Context context)
    {
        (_begins, _ends) = (Events(), Events());
        _ends[Ring - 1].Record();
        DeviceEvent[] Events() => [.. Enumerable.Range(0, Ring).Select(_ => new DeviceEvent(context))];
    }

    /// <summary>Steps that have begun.</summary>
    public int Steps => _begun + 1;

    /// <summary>A step begins.</summary>
    public void Begin() => _begins[++_begun % Ring].Record();

    /// <summary>All of the step has been asked for.</summary>
    public void End()
    {
        _ends[_begun % Ring].Record();
        if (_begun > 0)
        {
            Read(_begun - 1);
        }
    }

    /// <summary>Waits for the last step.</summary>
    /// <returns>The time of each step, and the share of all in which the device had finished a step and not begun the next.</returns>
    public (IReadOnlyList<double> Milliseconds, double IdleShare) Finish()
    {
        Read(_begun);
        return (_milliseconds, _idle / _milliseconds.Sum());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var moment in _begins.Concat(_ends))
        {
            moment.Dispose();
        }
    }

    private void Read(int step)
    {
        var before = _ends[(step + Ring - 1) % Ring];
        _milliseconds.Add(_ends[step % Ring].MillisecondsSince(before));
        _idle += _begins[step % Ring].MillisecondsSince(before);
    }
}
