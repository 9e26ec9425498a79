using System.Text.Json;
using MimNative.Data;
using MimNative.Runtime;

namespace MimNative.Evaluation.Verification;

/// <summary>Picture transforms, exact in every byte: resized crops, SRC, centre crops, flips, and the boxes that RRC draws.</summary>
internal static class TransformCase
{
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Std = [0.229f, 0.224f, 0.225f];

    public static void Check(RecordedCase recorded, Comparisons compare, Step step)
    {
        CheckEach(recorded, "resized_crop/", (name, settings, source) =>
        {
            var box = new Box(
                Integer(settings, "top"), Integer(settings, "left"), Integer(settings, "height"), Integer(settings, "width"));
            using var image = source.ResizedCrop(
                box, Integer(settings, "out_h"), Integer(settings, "out_w"), Filter(settings));
            CompareImage(recorded, compare, name, image, Flag(settings, "flip"));
        });
        CheckEach(recorded, "simple_resized_crop/", (name, settings, source) =>
        {
            using var resized = Resize(source, settings);
            if (recorded.Has($"{name}/resized"))
            {
                compare.Exact<byte>($"{name}/resized", ChannelsFirst(resized), recorded.Bytes($"{name}/resized"));
            }
            using var padded = resized.PadReflect(Integer(settings, "pad"));
            var crop = Integer(settings, "crop");
            using var image = padded.Crop(new Box(Integer(settings, "top"), Integer(settings, "left"), crop, crop));
            CompareImage(recorded, compare, name, image, Flag(settings, "flip"));
        });
        CheckEach(recorded, "resize_center_crop/", (name, settings, source) =>
        {
            using var resized = Resize(source, settings);
            var crop = Integer(settings, "crop");
            using var image = resized.Crop(CenterCrop.Box(resized.Height, resized.Width, crop, crop));
            CompareImage(recorded, compare, name, image, flip: false);
        });
        CheckEach(recorded, "hflip/", (name, _, source) =>
        {
            source.Flip();
            compare.Exact<byte>(name, ChannelsFirst(source), recorded.Bytes(name));
        });
        CheckBoxes(recorded, compare);
        CheckTable(recorded, compare);
    }

    private static void CheckEach(RecordedCase recorded, string prefix, Action<string, JsonElement, Image> check)
    {
        foreach (var name in recorded.Settings.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)).Order())
        {
            var settings = recorded.Json(name);
            using var source = Source(recorded, "img/" + settings.GetProperty("image").GetString());
            check(name, settings, source);
        }
    }

    private static Image Resize(Image source, JsonElement settings) =>
        settings.GetProperty("resize_short_side").ValueKind == JsonValueKind.Null
            ? source.Crop(source.Box)
            : source.Resized(Integer(settings, "resized_h"), Integer(settings, "resized_w"), Filter(settings));

    private static void CompareImage(RecordedCase recorded, Comparisons compare, string name, Image image, bool flip)
    {
        if (flip)
        {
            image.Flip();
        }
        compare.Exact<byte>(name, ChannelsFirst(image), recorded.Bytes(name));
        if (recorded.Has($"{name}/normalized"))
        {
            var values = new float[3 * image.Height * image.Width];
            image.Normalize(values, Mean, Std);
            compare.Exact<float>($"{name}/normalized", values, recorded.Floats($"{name}/normalized"));
        }
    }

    // The boxes that random resized crops draw from recorded uniform numbers; -1 marks those that were not used.
    private static void CheckBoxes(RecordedCase recorded, Comparisons compare)
    {
        var uniforms = recorded.Floats("rrc_uniforms");
        var want = recorded.Ints("rrc_hw_boxes");
        var got = new List<int>();
        for (var i = 0; i < want.Length / 6; i++)
        {
            var settings = recorded.Json($"rrc/{i}");
            JsonElement scale = settings.GetProperty("scale"), ratio = settings.GetProperty("ratio");
            int height = want[6 * i], width = want[(6 * i) + 1], count = uniforms.Length / (want.Length / 6);
            var box = RandomResizedCrop.Box(
                height, width, scale[0].GetDouble(), scale[1].GetDouble(), ratio[0].GetDouble(), ratio[1].GetDouble(),
                uniforms.AsSpan(i * count, count));
            got.AddRange([height, width, box.Top, box.Left, box.Height, box.Width]);
        }
        compare.Exact<int>("rrc_hw_boxes", got.ToArray(), want);
    }

    private static void CheckTable(RecordedCase recorded, Comparisons compare)
    {
        var greys = Enumerable.Range(0, 256).SelectMany(v => new[] { (byte)v, (byte)v, (byte)v }).ToArray();
        using var ramp = Image.Create(1, 256, greys);
        var values = new float[3 * 256];
        ramp.Normalize(values, Mean, Std);
        compare.Exact<float>("normalize_lut", values, recorded.Floats("normalize_lut"));
    }

    // Recorded pictures have their channels outermost.
    private static Image Source(RecordedCase recorded, string name)
    {
        var shape = recorded.Shape(name, 3);
        var planes = recorded.Bytes(name);
        int height = (int)shape[1], width = (int)shape[2], area = height * width;
        var pixels = new byte[3 * area];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = planes[(i % 3 * area) + (i / 3)];
        }
        return Image.Create(height, width, pixels);
    }

    private static byte[] ChannelsFirst(Image image)
    {
        var pixels = image.Pixels;
        var area = image.Height * image.Width;
        var planes = new byte[3 * area];
        for (var i = 0; i < pixels.Length; i++)
        {
            planes[(i % 3 * area) + (i / 3)] = pixels[i];
        }
        return planes;
    }

    private static int Integer(JsonElement settings, string key) => settings.GetProperty(key).GetInt32();

    private static bool Flag(JsonElement settings, string key) => settings.GetProperty(key).GetBoolean();

    private static Interpolation Filter(JsonElement settings) =>
        settings.GetProperty("interpolation").GetString() switch
        {
            "bicubic" => Interpolation.Bicubic,
            "bilinear" => Interpolation.Bilinear,
            var other => throw new NotSupportedException($"interpolation '{other}' is not known"),
        };
}
