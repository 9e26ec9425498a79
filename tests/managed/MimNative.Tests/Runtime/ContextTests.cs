using MimNative.Interop;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Runtime;

public sealed class ContextTests
{
    [Test]
    public void A_context_says_what_it_runs_on()
    {
        using var context = new Context(Device.Cpu, threads: 2);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(context.Device, Is.EqualTo(Device.Cpu));
            Assert.That(context.Threads, Is.EqualTo(2));
            Assert.That(context.Description, Is.Not.Empty);
        }
    }

    [Test]
    public void Without_a_number_every_processor_is_used()
    {
        using var context = new Context(Device.Cpu);
        Assert.That(context.Threads, Is.GreaterThan(0));
    }

    [Test]
    public void A_cuda_device_that_is_not_there_is_an_error() => Assert.That(
        () => new Context(Device.Parse("cuda:7")),
        Throws.TypeOf<MimException>().With.Property(nameof(MimException.Status)).EqualTo(MimStatus.DeviceUnavailable)
            .And.Message.Contains("CUDA"));

    [Test]
    public void A_setting_out_of_range_is_named()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => new Context(Device.Cpu, threads: -1), Throws.TypeOf<MimException>().With.Message.Contains("threads is -1"));
            Assert.That(
                () => new Context(Device.Cpu with { Index = 1 }),
                Throws.TypeOf<MimException>().With.Message.Contains("device_index is 1"));
        }
    }

    [Test]
    public void A_closed_context_is_not_used()
    {
        var context = new Context(Device.Cpu, threads: 1);
        var step = new Step(context);
        context.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => step.Reserve(64), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => context.Threads, Throws.TypeOf<ObjectDisposedException>());
            Assert.That(context.Dispose, Throws.Nothing);
        }
    }

    [Test]
    public void Memory_may_be_released_after_the_context()
    {
        var context = new Context(Device.Cpu, threads: 1);
        var buffer = new DeviceBuffer(context, 256);
        context.Dispose();
        Assert.That(buffer.View(DType.F32, 0, 64).Span<float>().ToArray(), Has.All.Zero);
        buffer.Dispose();
        Assert.That(() => buffer.View(DType.F32, 0, 1), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Memory_that_was_released_is_not_held()
    {
        using var context = new Context(Device.Cpu, threads: 1);
        for (int i = 0; i < 3; ++i)
        {
            new DeviceBuffer(context, 1 << 20).Dispose();
        }
        Assert.That(context.MemoryPeak, Is.EqualTo(1 << 20));
    }

    [Test]
    public void A_view_that_leaves_its_buffer_is_an_error()
    {
        using var context = new Context(Device.Cpu, threads: 1);
        using var buffer = new DeviceBuffer(context, 256);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => buffer.View(DType.F32, 0, 65), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => buffer.View(DType.F32, 252, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => buffer.View(DType.F32, -4, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }
}
