using System.Globalization;
using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>A run's loss against its steps, as a picture: every step in grey, an average over a fiftieth of them in black.</summary>
public static class LossCurve
{
    private const int Width = 720, Height = 400, Left = 90, Right = 20, Top = 40, Bottom = 40;
    private const byte Paper = 255, Ink = 30, Faint = 190, Rule = 225;

    /// <summary>The picture of the losses of steps 1, 2, ...</summary>
    public static Image Draw(IReadOnlyList<float> losses, string title)
    {
        ArgumentNullException.ThrowIfNull(losses);
        ArgumentNullException.ThrowIfNull(title);
        ArgumentOutOfRangeException.ThrowIfZero(losses.Count, nameof(losses));
        var smooth = Smooth(losses, Math.Max(1, losses.Count / 50));
        // The first steps of a run are far above the rest; the scale is that of the averaged curve.
        double low = Math.Min(smooth.Min(), losses.Order().ElementAt(losses.Count / 100)), high = smooth.Max();
        if (high - low < 1e-9)
        {
            (low, high) = (low - 0.5, high + 0.5);
        }
        var picture = Image.Create(Height, Width);
        picture.Pixels.Fill(Paper);
        PictureText.Draw(picture, title, 8, Left, 2, Ink);
        const int lines = 4;
        for (var i = 0; i <= lines; i++)
        {
            var value = low + ((high - low) * i / lines);
            var y = Y(value, low, high);
            for (var x = Left; x < Width - Right; x++)
            {
                Dot(picture, x, y, Rule);
            }
            PictureText.Draw(picture, value.ToString("0.000", CultureInfo.InvariantCulture), y - 8, 8, 2, Ink);
        }
        Curve(picture, losses, low, high, Faint, thick: 1);
        Curve(picture, smooth, low, high, Ink, thick: 2);
        PictureText.Draw(picture, "step 1", Height - Bottom + 12, Left, 2, Ink);
        var last = $"step {losses.Count}";
        PictureText.Draw(picture, last, Height - Bottom + 12, Width - Right - PictureText.Width(last, 2), 2, Ink);
        return picture;
    }

    private static float[] Smooth(IReadOnlyList<float> losses, int window)
    {
        var result = new float[losses.Count];
        double sum = 0;
        for (var i = 0; i < losses.Count; i++)
        {
            sum += losses[i] - (i >= window ? losses[i - window] : 0);
            result[i] = (float)(sum / Math.Min(i + 1, window));
        }
        return result;
    }

    private static void Curve(Image picture, IReadOnlyList<float> values, double low, double high, byte shade, int thick)
    {
        var plot = Width - Left - Right - 1;
        var before = Y(values[0], low, high);
        for (var x = 0; x <= plot; x++)
        {
            // Between two columns the curve runs down the second one.
            var y = Y(values[(int)((long)x * (values.Count - 1) / plot)], low, high);
            for (var row = Math.Min(before, y); row <= Math.Max(before, y) + thick - 1; row++)
            {
                Dot(picture, Left + x, row, shade);
            }
            before = y;
        }
    }

    private static int Y(double value, double low, double high) =>
        (int)Math.Clamp(Top + ((high - value) / (high - low) * (Height - Top - Bottom)), Top, Height - Bottom);

    private static void Dot(Image picture, int x, int y, byte shade) =>
        picture.Pixels.Slice(((y * Width) + x) * 3, 3).Fill(shade);
}
