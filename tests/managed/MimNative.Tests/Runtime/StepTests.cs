using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Runtime;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed unsafe class StepTests : IDisposable
{
    private readonly Context _context = new(Device.Cpu, threads: 1);
    private readonly Step _step;

    public StepTests() => _step = new Step(_context);

    public void Dispose()
    {
        _step.Dispose();
        _context.Dispose();
    }

    [Test]
    public void Tensors_lie_at_the_same_addresses_in_every_step()
    {
        _step.Reserve(1 << 16);
        nint[] Addresses()
        {
            _step.Begin();
            return [Address(_step.Empty(DType.F32, 7)), Address(_step.Empty(DType.U8, 3, 5)), Address(_step.Empty(DType.F32, 100))];
        }
        var first = Addresses();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Addresses(), Is.EqualTo(first));
            Assert.That(first, Is.Unique);
            Assert.That(first, Has.All.Matches<nint>(a => a % 64 == 0));
        }
    }

    [Test]
    public void A_plan_gives_the_memory_that_the_step_then_uses()
    {
        var (arena, scratch) = _step.Plan(Multiply);
        using var measured = new Step(_context);
        measured.Reserve(1 << 20);
        Multiply(measured);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(arena, Is.EqualTo(measured.Peak));
            Assert.That(scratch, Is.EqualTo(_context.ScratchPeak));
            Assert.That(_step.IsPlanning, Is.False);
            Assert.That(() => Multiply(_step), Throws.Nothing);
            Assert.That(_step.Peak, Is.EqualTo(arena));
        }
    }

    [Test]
    public void A_resident_table_is_there_from_the_plan_on_whatever_the_arena_does()
    {
        int[] table = [3, 1, 4, 1, 5, 9];
        nint planned = 0;
        var (arena, _) = _step.Plan(step => planned = Address(step.Resident(table, 2, 3)));
        var before = _context.ResidentBytes;
        var again = _step.Resident(table, 6);
        _step.Reserve(1 << 10);
        _step.FromHost<float>([7], 1);
        _step.Begin();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(arena, Is.Zero);
            Assert.That(Address(again), Is.EqualTo(planned));
            Assert.That(again.Span<int>().ToArray(), Is.EqualTo(table), "copied although the step was only planned");
            Assert.That(_context.ResidentBytes, Is.EqualTo(before).And.EqualTo(24));
        }
    }

    [Test]
    public void Each_context_has_resident_tables_of_its_own()
    {
        float[] table = [1, 2];
        using var other = new Context(Device.Cpu, threads: 1);
        using Step step = new(other), sibling = new(_context);
        var mine = Address(_step.Resident(table, 2));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Address(step.Resident(table, 2)), Is.Not.EqualTo(mine));
            Assert.That(Address(sibling.Resident(table, 2)), Is.EqualTo(mine));
            Assert.That(Address(_step.Resident<float>([1, 2], 2)), Is.Not.EqualTo(mine), "another array is another table");
        }
    }

    [Test]
    public void A_step_that_outgrows_its_plan_is_an_error()
    {
        _step.Plan(step => step.Empty(DType.F32, 32));
        _step.Empty(DType.F32, 32);
        Assert.That(() => _step.Empty(DType.F32, 1), Throws.InvalidOperationException
            .With.Message.EqualTo("the step needs 192 bytes and has 128; plan it with its largest batch first"));
    }

    [Test]
    public void A_plan_that_fails_leaves_a_step_that_computes()
    {
        Assert.That(() => _step.Plan(_ => throw new TimeoutException()), Throws.TypeOf<TimeoutException>());
        _step.Reserve(256);
        _step.Begin();
        Assert.That(_step.ToArray<float>(MimNative.Ops.Filled(3, DType.F32, _step, 2)), Is.EqualTo(new float[] { 3, 3 }));
    }

    [Test]
    public void Temporary_tensors_are_released_with_their_scope_and_lie_beside_what_is_kept()
    {
        nint first = 0, inner = 0, later = 0, kept = 0;
        void Walk(Step step)
        {
            first = Address(step.Temporary(DType.F32, 16));             // in no scope: until the step ends
            using (step.Temporaries())
            {
                inner = Address(step.Temporary(DType.F32, 100));
                kept = Address(step.Empty(DType.F32, 16));
                using (step.Temporaries(all: true))
                {
                    step.Empty(DType.F32, 1000);
                }
                step.Empty(DType.F32, 16);
            }
            later = Address(step.TemporaryLike(step.Empty(DType.F32, 16)));
        }
        var (arena, _) = _step.Plan(Walk);
        Walk(_step);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(arena, Is.EqualTo(64 + 448 + 64 + 4032), "the largest of all moments");
            Assert.That(_step.Peak, Is.EqualTo(arena));
            Assert.That(inner, Is.EqualTo(first - 448));
            Assert.That(later, Is.EqualTo(first - 64), "takes the place of what was released");
            Assert.That(kept, Is.EqualTo(first + 64 - (nint)arena), "kept tensors begin at the arena's other end");
        }
    }

    [Test]
    public void What_is_kept_and_what_is_temporary_share_the_plan()
    {
        _step.Plan(step =>
        {
            step.Empty(DType.F32, 16);
            step.Temporary(DType.F32, 16);
        });
        _step.Empty(DType.F32, 16);
        _step.Temporary(DType.F32, 16);
        Assert.That(() => _step.Temporary(DType.F32, 1), Throws.InvalidOperationException
            .With.Message.EqualTo("the step needs 192 bytes and has 128; plan it with its largest batch first"));
    }

    [Test]
    public void Arrays_are_the_same_ones_in_every_step()
    {
        long[] first = _step.Rent<long>(3);
        Tensor[] second = _step.Rent<Tensor>(2);
        _step.Begin();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_step.Rent<long>(3), Is.SameAs(first));
            Assert.That(_step.Rent<Tensor>(2), Is.SameAs(second));
            Assert.That(_step.Rent<Tensor>(2), Is.Not.SameAs(second));
        }
        _step.Begin();
        Assert.That(_step.Rent<long>(4), Has.Length.EqualTo(4));
    }

    [Test]
    public void Numbers_come_back_as_they_were_given()
    {
        _step.Reserve(1 << 12);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_step.ToArray<float>(_step.FromHost<float>([1, -2.5f, 3], 3)), Is.EqualTo(new[] { 1, -2.5f, 3 }));
            Assert.That(_step.ToArray<int>(_step.FromHost<int>([int.MinValue, 4], 2)), Is.EqualTo(new[] { int.MinValue, 4 }));
            Assert.That(_step.ToArray<long>(_step.FromHost<long>([1L << 40], 1)), Is.EqualTo(new[] { 1L << 40 }));
            Assert.That(_step.ToArray<byte>(_step.FromHost<byte>([255, 0], 1, 2)), Is.EqualTo(new byte[] { 255, 0 }));
        }
    }

    [Test]
    public void Numbers_that_do_not_fit_the_shape_are_an_error()
    {
        _step.Reserve(1 << 12);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => _step.FromHost<float>([1, 2, 3], 2, 2), Throws.ArgumentException.With.Message.Contains("f32 (2, 2)"));
            Assert.That(() => _step.Empty(DType.F32, 2, 0), Throws.ArgumentException.With.Message.Contains("(2, 0)"));
            Assert.That(() => _step.Empty(DType.F32, -4), Throws.ArgumentException);
            Assert.That(() => _step.Empty(DType.F32, 1, 1, 1, 1, 1, 1, 1), Throws.ArgumentException.With.Message.Contains("7"));
            Assert.That(() => _step.ToArray<int>(_step.Empty(DType.F32, 2)), Throws.InstanceOf<Exception>());
        }
    }

    private static void Multiply(Step step)
    {
        step.Begin();
        var x = MimNative.Ops.Filled(1, DType.F32, step, 33, 65);
        var w = MimNative.Ops.Filled(1, DType.F32, step, 17, 65);
        using (step.Temporaries(all: true))
        {
            step.Empty(DType.F32, 10_000);
        }
        var y = MimNative.Ops.Linear(x, w, Tensor.None, step);
        MimNative.Ops.LinearBackward(y, x, w, step.EmptyLike(w), Tensor.None, step);
    }

    private static nint Address(Tensor tensor) => (nint)tensor.View.data;
}
