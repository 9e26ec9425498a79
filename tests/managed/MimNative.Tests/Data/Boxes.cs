using FsCheck;
using FsCheck.Fluent;
using MimNative.Runtime;

namespace MimNative.Tests.Data;

/// <summary>Random sizes, numbers and settings for the properties of boxes.</summary>
internal static class Boxes
{
    /// <summary>Ordinary and extreme pictures.</summary>
    public static Arbitrary<(int Height, int Width)> Sizes =>
        (from height in Side from width in Side select (height, width)).ToArbitrary();

    /// <summary>Areas and ratios in any order that the settings allow, equal ones too.</summary>
    public static Arbitrary<(double ScaleMin, double ScaleMax, double RatioMin, double RatioMax)> Ranges =>
        (from scale in Gen.Choose(1, 1000)
         from scaleMore in Gen.Choose(0, 1000)
         from ratio in Gen.Choose(1, 5000)
         from ratioMore in Gen.Choose(0, 5000)
         select (scale / 1000.0, Math.Min(1, (scale + scaleMore) / 1000.0), ratio / 1000.0, (ratio + ratioMore) / 1000.0))
        .ToArbitrary();

    private static Gen<int> Side => Gen.Frequency((3, Gen.Choose(1, 12)), (5, Gen.Choose(1, 700)), (1, Gen.Choose(1, 20000)));

    /// <summary>Numbers in [0, 1), among them the first and the last of 24 bits.</summary>
    public static Arbitrary<float[]> Uniforms(int count) =>
        Gen.Frequency((1, Gen.Elements(0, (1 << 24) - 1)), (6, Gen.Choose(0, (1 << 24) - 1)))
            .Select(bits => bits * (1f / (1 << 24))).ArrayOf(count).ToArbitrary();

    public static bool IsInside(Box box, int height, int width) =>
        box.Height >= 1 && box.Width >= 1 && box.Top >= 0 && box.Left >= 0 && box.Top + box.Height <= height &&
        box.Left + box.Width <= width;
}
