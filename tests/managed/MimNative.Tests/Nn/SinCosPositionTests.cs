using MimNative.Nn;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

public sealed class SinCosPositionTests
{
    private const int Height = 3, Width = 5, Dim = 16, N = Dim / 4;

    [Test]
    public void Each_quarter_of_the_channels_is_a_sine_or_cosine_of_one_coordinate()
    {
        var table = SinCosPosition.Table(Height, Width, Dim, classToken: false);
        Assert.That(table, Has.Length.EqualTo(Height * Width * Dim));
        for (var i = 0; i < table.Length; i++)
        {
            int token = i / Dim, channel = i % Dim, quarter = channel / N;
            int row = token / Width, column = token % Width;
            var angle = (quarter < 2 ? column : row) * Math.Pow(10000, -(channel % N) / (double)N);
            var want = quarter % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle);
            Assert.That(table[i], Is.EqualTo(want).Within(1e-7), $"token ({row}, {column}), channel {channel}");
        }
    }

    [Test]
    public void The_class_token_has_no_position()
    {
        var table = SinCosPosition.Table(Height, Width, Dim, classToken: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(table[..Dim], Has.All.Zero);
            Assert.That(table[Dim..], Is.EqualTo(SinCosPosition.Table(Height, Width, Dim, classToken: false)));
        }
    }

    [Test]
    public void The_other_order_swaps_the_halves_of_the_channels()
    {
        var table = SinCosPosition.Table(Height, Width, Dim, classToken: false);
        var swapped = SinCosPosition.Table(Height, Width, Dim, classToken: false, rowFirst: true);
        Assert.That(swapped, Is.EqualTo(table.Chunk(Dim).SelectMany(t => t[(Dim / 2)..].Concat(t[..(Dim / 2)])).ToArray()));
    }

    [Test]
    public void Channels_that_four_does_not_divide_are_an_error() => Assert.That(
        () => SinCosPosition.Table(2, 2, 6, classToken: false), Throws.ArgumentException.With.Message.Contains("got 6"));
}
