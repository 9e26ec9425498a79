using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Runtime;

public sealed class TensorTests
{
    private TestRun _run = null!;
    private Tensor _x;

    [SetUp]
    public void Number_the_elements()
    {
        _run = TestRun.On(Device.Cpu);
        _x = _run.Step.FromHost<float>([.. Enumerable.Range(0, 24).Select(i => (float)i)], 2, 3, 4);
    }

    [TearDown]
    public void Release() => _run.Dispose();

    [Test]
    public void Extents_can_be_asked_from_both_ends()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_x.Shape, Is.EqualTo(new long[] { 2, 3, 4 }));
            Assert.That((_x[0], _x[1], _x[2], _x[-1], _x[-3]), Is.EqualTo((2L, 3L, 4L, 4L, 2L)));
            Assert.That(_x.Count, Is.EqualTo(24));
            Assert.That(_x.ToString(), Is.EqualTo("f32 (2, 3, 4)"));
            Assert.That(Tensor.None.IsAbsent && Tensor.None.ToString() == "none");
        }
    }

    [Test]
    public void Reshape_keeps_the_order_of_the_elements_and_finds_the_open_extent()
    {
        var y = _x.Reshape(4, -1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(y.Shape, Is.EqualTo(new long[] { 4, 6 }));
            Assert.That(y.Span<float>().ToArray(), Is.EqualTo(_x.Span<float>().ToArray()));
            Assert.That(_x.Rows().Shape, Is.EqualTo(new long[] { 6, 4 }));
        }
    }

    [TestCase(5, 5)]
    [TestCase(5, -1)]
    [TestCase(0, -1)]
    [TestCase(-1, -1)]
    [TestCase(-4, -6)]
    public void A_shape_that_does_not_hold_the_elements_is_an_error(int rows, int columns) => Assert.That(
        () => _x.Reshape(rows, columns), Throws.ArgumentException.With.Message.Contains($"({rows}, {columns})"));

    [Test]
    public void Slice_takes_a_part_of_an_axis()
    {
        var y = _x.Slice(1, 1, 2).Slice(2, 3, 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(y.Shape, Is.EqualTo(new long[] { 2, 2, 1 }));
            Assert.That(Elements(y), Is.EqualTo(new float[] { 7, 11, 19, 23 }));
        }
    }

    [TestCase(-1, 1)]
    [TestCase(0, 0)]
    [TestCase(2, 2)]
    [TestCase(1, long.MaxValue)]
    public void A_slice_outside_the_tensor_is_an_error(long begin, long count) =>
        Assert.That(() => _x.Slice(1, begin, count), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("(2, 3, 4)"));

    [Test]
    public void At_removes_an_axis()
    {
        var y = _x.At(1, 2);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(y.Shape, Is.EqualTo(new long[] { 2, 4 }));
            Assert.That(Elements(y), Is.EqualTo(new float[] { 8, 9, 10, 11, 20, 21, 22, 23 }));
            Assert.That(() => y.At(0, 0).At(0, 0), Throws.InvalidOperationException);
        }
    }

    [Test]
    public void Permute_changes_the_order_of_the_axes()
    {
        var y = _x.Permute(2, 0, 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(y.Shape, Is.EqualTo(new long[] { 4, 2, 3 }));
            Assert.That(Elements(y).Take(6), Is.EqualTo(new float[] { 0, 4, 8, 12, 16, 20 }));
            Assert.That(() => _x.Permute(0, 1), Throws.ArgumentException);
            Assert.That(() => _x.Permute(0, 1, 1), Throws.ArgumentException.With.Message.Contains("twice"));
            Assert.That(() => _x.Permute(0, 1, 3), Throws.InstanceOf<ArgumentException>());
        }
    }

    [TestCase(3)]
    [TestCase(-4)]
    [TestCase(99)]
    public void An_axis_that_is_not_there_is_an_error(int axis)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => _x[axis], Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => _x.Slice(axis, 0, 1), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }

    [Test]
    public void Elements_are_only_read_as_what_they_are_and_where_they_lie_together()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => _x.Span<int>().Length, Throws.InvalidOperationException.With.Message.Contains("f32"));
            Assert.That(() => _x.Permute(1, 0, 2).Reshape(-1), Throws.InvalidOperationException.With.Message.Contains("not dense"));
            Assert.That(() => _x.Slice(2, 0, 2).Span<float>().Length, Throws.InvalidOperationException);
        }
    }

    private float[] Elements(Tensor view)
    {
        var dense = _run.Step.EmptyLike(view);
        MimNative.Ops.Copy(dense, view, _run.Step);
        return _run.Step.ToArray<float>(dense);
    }
}
