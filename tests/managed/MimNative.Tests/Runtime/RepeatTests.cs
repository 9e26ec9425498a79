using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Runtime;

/// <summary>Work that repeats, on a device that records it and on one that does not.</summary>
[Platform("Linux")]
public sealed class RepeatTests
{
    private static Context Open(DeviceKind kind) => kind == DeviceKind.Cpu ? new Context(Device.Cpu, threads: 1) : EmulatedDevice.Open();

    [TestCase(DeviceKind.Cpu)]
    [TestCase(DeviceKind.Cuda)]
    public void A_table_that_a_changed_step_makes_holds_its_numbers(DeviceKind kind)
    {
        using var context = Open(kind);
        using var step = new Step(context);
        step.Reserve(1 << 12);
        float[][] tables = [[1, 2, 3], [4, 5, 6]];
        Tensor sum = default;
        for (var i = 0; i < 8; i++)
        {
            var table = tables[i / 4];
            context.Repeat(0, () =>
            {
                step.Begin();
                sum = step.Empty(DType.F32, 3);
                MimNative.Ops.Copy(sum, step.Resident(table, 3), step);
            });
            Assert.That(step.ToArray<float>(sum), Is.EqualTo(table), $"step {i}");
        }
        Assert.That(context.ResidentBytes, Is.EqualTo(2 * 3 * sizeof(float)));
    }

    [TestCase(DeviceKind.Cpu)]
    [TestCase(DeviceKind.Cuda)]
    public void Work_that_fails_leaves_a_context_that_works(DeviceKind kind)
    {
        using var context = Open(kind);
        using var step = new Step(context);
        step.Reserve(1 << 12);
        Tensor numbers = default;
        for (var i = 0; i < 12; i++)
        {
            var (fails, value) = (i % 5 == 4, (float)i);
            void Work()
            {
                step.Begin();
                numbers = step.FromHost<float>([value], 1);
                if (fails)
                {
                    throw new InvalidOperationException("no");
                }
            }
            if (fails)
            {
                Assert.That(() => context.Repeat(1, Work), Throws.InvalidOperationException.With.Message.EqualTo("no"));
                continue;
            }
            context.Repeat(1, Work);
            Assert.That(step.ToArray<float>(numbers)[0], Is.EqualTo(value));
        }
        Assert.That(context.ReplayedSteps, Is.EqualTo(kind == DeviceKind.Cpu ? 0 : 2));
    }
}
