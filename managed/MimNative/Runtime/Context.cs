using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>
/// A device with its threads and scratch memory: what every op runs on. A context serves one thread at a time. A device that
/// was asked for and cannot be had is an error; nothing falls back.
/// </summary>
public sealed unsafe class Context : IDisposable
{
    private readonly NativeHandle<mim_context> _handle;
    private readonly ConditionalWeakTable<Array, DeviceBuffer> _resident = [];
    private readonly List<Array> _tablesOfStep = [];
    private bool _isInStep;

    /// <summary>Opens a device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="threads">CPU threads of an op; 0 for one per processor that this process may use.</param>
    /// <exception cref="MimException">The device cannot be had; the message says what was tried.</exception>
    public Context(Device device, int threads = 0)
    {
        var parameters = new mim_context_params
        {
            size = sizeof(mim_context_params),
            device = (int)device.Kind,
            device_index = device.Index,
            threads = threads,
        };
        mim_context* native;
        Mim.mim_context_create(&native, &parameters);
        _handle = new NativeHandle<mim_context>(native, &Mim.mim_context_destroy);
        Device = device;
    }

    /// <summary>The device that this context runs on.</summary>
    public Device Device { get; }

    /// <summary>CPU threads of an op.</summary>
    public int Threads => Info.threads;

    /// <summary>Whether the device multiplies bf16 in hardware.</summary>
    public bool HasBf16 => Info.has_bf16 != 0;

    /// <summary>The most scratch memory that any op has asked for so far, planned ones included, in bytes.</summary>
    public long ScratchPeak => Info.scratch_peak;

    /// <summary>The most memory of the device that this context's buffers and scratch memory held at once, in bytes.</summary>
    public long MemoryPeak => Info.memory_peak;

    /// <summary>Time spent in native calls so far: ops with their checks, and waiting for them.</summary>
    public TimeSpan NativeTime => TimeSpan.FromTicks(Info.native_nanoseconds / TimeSpan.NanosecondsPerTick);

    /// <summary>A line for people: processor, instruction sets in use, library versions.</summary>
    public string Description => Marshal.PtrToStringUTF8((nint)Mim.mim_context_description(Native)) ?? "";

    /// <summary>Bytes of all tables that were made so far by <see cref="Step.Resident"/>.</summary>
    public long ResidentBytes { get; private set; }

    internal mim_context* Native => _handle.Get(this);

    internal bool IsPlanning { get; private set; }

    private mim_context_info Info
    {
        get
        {
            var info = new mim_context_info { size = sizeof(mim_context_info) };
            Mim.mim_context_get_info(Native, &info);
            return info;
        }
    }

    /// <summary>Makes scratch memory of at least this many bytes, so that no op of that size allocates.</summary>
    public void ReserveScratch(long bytes) => Mim.mim_context_reserve_scratch(Native, bytes);

    /// <summary>Measures what the device can do at most, with this context's threads; takes a third of a second and 384 MiB.</summary>
    public Ceiling MeasureCeiling()
    {
        var ceiling = new mim_ceiling { size = sizeof(mim_ceiling) };
        Mim.mim_measure_ceiling(Native, &ceiling);
        return new Ceiling(
            ceiling.f32_gflops, ceiling.bf16_gflops, ceiling.read_gbytes, ceiling.update_gbytes, ceiling.triad_gbytes);
    }

    /// <summary>
    /// Whether work that repeats is recorded and started as a whole where the device can do that. Without it everything is done as it is
    /// asked for, with the same results: to find out what an error comes from.
    /// </summary>
    public bool RecordsSteps { get; set; } = true;

    /// <summary>How often work was started as it had been recorded before; see <see cref="Repeat"/>.</summary>
    public long ReplayedSteps => Info.replayed_steps;

    /// <summary>
    /// Does work that repeats: the same ops on the same memory every time, with other numbers from the host. A CUDA device records it and
    /// starts it as a whole. Until this returns nothing of it can be read back.
    /// </summary>
    /// <param name="number">Which work, for a caller with several kinds: at least 0.</param>
    /// <param name="work">The work. Where it is not what was recorded, it is asked for twice, so it must not change anything but the
    /// device's memory.</param>
    public void Repeat(int number, Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!RecordsSteps)
        {
            work();
            return;
        }
        for (var started = 0; started == 0;)
        {
            Mim.mim_step_begin(Native, number);
            try
            {
                _isInStep = true;
                work();
                Mim.mim_step_end(Native, &started);
            }
            finally
            {
                _isInStep = false;
                if (started == 0)
                {
                    Mim.mim_step_cancel(Native);
                    ForgetTablesOfStep();
                }
                _tablesOfStep.Clear();
            }
        }
    }

    /// <summary>Waits until everything that was asked of the device is done.</summary>
    public void Synchronize() => Mim.mim_context_synchronize(Native);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, buffer) in _resident)
        {
            buffer.Dispose();
        }
        _handle.Dispose();
    }

    // The array's numbers on the device: copied when they are first asked for, in planning too, and there as long as the array.
    internal DeviceBuffer Resident<T>(T[] values) where T : unmanaged
    {
        if (_resident.TryGetValue(values, out var known))
        {
            return known;
        }
        var buffer = new DeviceBuffer(this, (long)values.Length * sizeof(T));
        _resident.Add(values, buffer);
        if (_isInStep)
        {
            _tablesOfStep.Add(values);
        }
        ResidentBytes += buffer.Bytes;
        fixed (T* start = values)
        {
            Tensor from = Tensor.Dense(DeviceKind.Cpu, DTypes.Of<T>(), start, values.Length);
            var to = buffer.View(DTypes.Of<T>(), 0, values.Length);
            var wasPlanning = IsPlanning;
            SetPlanning(false);
            Mim.mim_copy(Native, (mim_view*)&to, (mim_view*)&from);
            SetPlanning(wasPlanning);
        }
        return buffer;
    }

    // Their numbers were to be copied by a step that was not started.
    private void ForgetTablesOfStep()
    {
        foreach (var values in _tablesOfStep)
        {
            if (_resident.TryGetValue(values, out var table))
            {
                _resident.Remove(values);
                ResidentBytes -= table.Bytes;
                table.Dispose();
            }
        }
    }

    internal void SetPlanning(bool enabled)
    {
        Mim.mim_context_set_planning(Native, enabled ? 1 : 0);
        IsPlanning = enabled;
    }
}
