using MimNative.Masking;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Masking;

public sealed class HandMadeMaskTests
{
    [Test]
    public void Exactly_the_given_patches_are_removed_from_every_image()
    {
        using var run = TestRun.On(Device.Cpu);
        var mask = HandMadeMask.FromPatches([true, false, false, true, false], batch: 2, run.Step);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.Step.ToArray<int>(mask.IdsKeep), Is.EqualTo(new[] { 1, 2, 4, 1, 2, 4 }));
            Assert.That(run.Step.ToArray<int>(mask.IdsMasked), Is.EqualTo(new[] { 0, 3, 0, 3 }));
            Assert.That(run.Step.ToArray<int>(mask.IdsRestore), Is.EqualTo(new[] { 3, 0, 1, 4, 2, 3, 0, 1, 4, 2 }));
            Assert.That(run.Step.ToArray<float>(mask.Mask), Is.EqualTo(new float[] { 1, 0, 0, 1, 0, 1, 0, 0, 1, 0 }));
        }
    }

    [Test]
    public void A_mask_that_removes_all_or_nothing_is_an_error([Values] bool all)
    {
        using var run = TestRun.On(Device.Cpu);
        bool[] removed = [all, all, all];
        Assert.That(
            () => HandMadeMask.FromPatches(removed, batch: 1, run.Step),
            Throws.ArgumentException.With.Message.Contains($"keeps {(all ? 0 : 3)} of 3 patches"));
    }
}
