using MimNative.Evaluation;
using MimNative.Runtime;
using MimNative.Tests.Data;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

public sealed class ReconstructionSheetTests
{
    private const int Gap = 6;

    [TestCase(1, 24, 40, 3)]       // 128 / 40: each pixel is drawn 3 x 3
    [TestCase(3, 24, 40, 3)]
    [TestCase(2, 16, 128, 1)]
    [TestCase(2, 30, 200, 1)]
    public void Every_picture_stands_in_its_cell(int rows, int height, int width, int zoom)
    {
        var pictures = Enumerable.Range(0, rows).Select(row => Row(height, width, 4 * row)).ToArray();
        using var sheet = ReconstructionSheet.Draw(pictures, "a caption");
        int cellHeight = height * zoom, cellWidth = width * zoom;
        Assert.That(sheet.Width, Is.EqualTo((4 * (cellWidth + Gap)) + Gap));
        var captions = sheet.Height - (rows * (cellHeight + Gap));
        Assert.That(captions, Is.GreaterThan(0).And.LessThan(100));
        for (var row = 0; row < rows; row++)
        {
            Image[] cells = [pictures[row].Original, pictures[row].Masked, pictures[row].Predicted, pictures[row].Pasted];
            for (var column = 0; column < 4; column++)
            {
                int top = (captions / 2) + (row * (cellHeight + Gap)), left = Gap + (column * (cellWidth + Gap));
                using var cell = sheet.Crop(new Box(top, left, cellHeight, cellWidth));
                Assert.That(cell.Pixels.SequenceEqual(Enlarged(cells[column], zoom)), $"row {row}, column {column}");
                using var gap = sheet.Crop(new Box(top, left + cellWidth, cellHeight, Gap));
                Assert.That(gap.Pixels.ToArray(), Has.All.EqualTo((byte)255));
            }
        }
        using var title = sheet.Crop(new Box(0, 0, captions / 2, sheet.Width));
        using var caption = sheet.Crop(new Box(sheet.Height - (captions / 2), 0, captions / 2, sheet.Width));
        Assert.That(title.Pixels.Contains((byte)30) && caption.Pixels.Contains((byte)30), "text is drawn");
        foreach (var picture in pictures)
        {
            picture.Dispose();
        }
    }

    private static ReconstructedPicture Row(int height, int width, int seed) => new(
        Pictures.Noise(height, width, seed), Pictures.Noise(height, width, seed + 1), Pictures.Noise(height, width, seed + 2),
        Pictures.Noise(height, width, seed + 3), Loss: 1);

    private static byte[] Enlarged(Image image, int zoom)
    {
        var pixels = new List<byte>();
        for (var y = 0; y < image.Height * zoom; y++)
        {
            for (var x = 0; x < image.Width * zoom; x++)
            {
                pixels.AddRange(image.Pixels.Slice(((y / zoom * image.Width) + (x / zoom)) * 3, 3));
            }
        }
        return [.. pixels];
    }
}
