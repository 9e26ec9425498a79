using MimNative.Masking;
using NUnit.Framework;

namespace MimNative.Tests.Masking;

/// <summary>The counts of many lengths and ratios are compared with recorded ones in VerifierTests.</summary>
public sealed class MaskCountsTests
{
    [TestCase(196, 0.75, 49)]
    [TestCase(100, 0.8, 19)]    // 100 * (1 - 0.8) is 19.999... in double
    [TestCase(64, 0.75, 16)]
    public void Mae_cuts_off_what_it_keeps(int patches, double ratio, int kept) =>
        Assert.That(MaskCounts.MaeKept(patches, ratio), Is.EqualTo(kept));

    [Test]
    public void LoMaR_cuts_off_what_it_removes() => Assert.That(MaskCounts.LoMaRMasked(49, 0.8), Is.EqualTo(39));

    [Test]
    public void SimMim_rounds_up_what_it_removes() => Assert.That(MaskCounts.SimMimMasked(49, 0.6), Is.EqualTo(30));
}
