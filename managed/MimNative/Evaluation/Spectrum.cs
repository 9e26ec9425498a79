using System.Numerics;
using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>
/// The power |U[k,l]|² of a picture's discrete Fourier transform, pixels in [0, 1], summed over the channels. It is computed as it is
/// written, rows then columns, in double precision: it is for pictures of a few hundred pixels, and the measure that the filter of
/// training is checked with.
/// </summary>
public sealed class Spectrum
{
    private readonly double[] _power;

    private Spectrum(int height, int width, double[] power) => (Height, Width, _power) = (height, width, power);

    /// <summary>Frequencies down.</summary>
    public int Height { get; }

    /// <summary>Frequencies across.</summary>
    public int Width { get; }

    /// <summary>The power of a bin, frequency 0 at (0, 0).</summary>
    public double this[int k, int l] => _power[(k * Width) + l];

    /// <summary>The spectrum of a picture.</summary>
    public static Spectrum Of(Image picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        int height = picture.Height, width = picture.Width;
        var power = new double[height * width];
        for (var channel = 0; channel < 3; channel++)
        {
            var values = new double[height * width];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = picture.Pixels[(3 * i) + channel] / 255.0;
            }
            AddPower(values, height, width, power);
        }
        return new Spectrum(height, width, power);
    }

    /// <summary>
    /// Whether an ideal low pass of this radius keeps a bin: native/include/mim/low_pass.h says why the disc of <c>exact</c> lies half a bin
    /// off frequency 0 where a size is even.
    /// </summary>
    public bool Keeps(int k, int l, double radius, LowPassMode mode)
    {
        var (a, b) = (Offset(k, Height, mode), Offset(l, Width, mode));
        return (a * a) + (b * b) <= radius * radius;
    }

    private static double Offset(int k, int size, LowPassMode mode) => mode == LowPassMode.Symmetric
        ? Math.Min(k, size - k)
        : ((k + (size / 2)) % size) - ((size - 1) / 2.0);

    // A real picture's bins (-k, -l) have the power of (k, l), so half of the columns are enough.
    private static void AddPower(double[] values, int height, int width, double[] power)
    {
        var half = (width / 2) + 1;
        var rows = new Complex[half * height];   // (l, y): a column of it is what the second transform walks along
        Complex[] across = Waves(width), down = Waves(height);
        Parallel.For(0, half, l =>
        {
            for (var y = 0; y < height; y++)
            {
                var sum = Complex.Zero;
                for (int x = 0, at = 0; x < width; x++, at = (at + l) % width)
                {
                    sum += values[(y * width) + x] * across[at];
                }
                rows[(l * height) + y] = sum;
            }
            for (var k = 0; k < height; k++)
            {
                var sum = Complex.Zero;
                for (int y = 0, at = 0; y < height; y++, at = (at + k) % height)
                {
                    sum += rows[(l * height) + y] * down[at];
                }
                var bin = (sum.Real * sum.Real) + (sum.Imaginary * sum.Imaginary);
                power[(k * width) + l] += bin;
                if (l > 0 && 2 * l != width)
                {
                    power[((height - k) % height * width) + width - l] += bin;
                }
            }
        });
    }

    // exp(-2 pi i n / size)
    private static Complex[] Waves(int size) =>
        [.. Enumerable.Range(0, size).Select(n => Complex.FromPolarCoordinates(1, -2 * Math.PI * n / size))];
}
