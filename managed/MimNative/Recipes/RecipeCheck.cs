using System.Globalization;
using MimNative.Masking;
using MimNative.Nn;

namespace MimNative.Recipes;

/// <summary>The ranges of a recipe's values, and how they have to fit each other.</summary>
internal sealed class RecipeCheck
{
    private const int LargestHead = 128;  // what the attention kernels are built for

    // far beyond use, and low enough that no product of sizes overflows
    private const int LargestSide = 1 << 14, LargestDim = 1 << 16, LargestDepth = 1 << 10, Million = 1_000_000;
    private const int MostStages = 8;

    private readonly string _source;

    private RecipeCheck(string source) => _source = source;

    /// <summary>Throws for the first thing that is wrong; <paramref name="source"/> names the recipe.</summary>
    public static void Check(Recipe recipe, string source)
    {
        var check = new RecipeCheck(source);
        check.Image(recipe.Image, recipe.Encoder.Patch);
        check.Fits(recipe);
        check.Encoder(recipe);
        check.Unused(recipe);
        check.Target(recipe);
        check.Decoder(recipe);
        check.Mask(recipe);
        check.Above("loss.beta", recipe.Loss.Beta, 0);
        check.Transform(recipe.Transform, Math.Min(recipe.Image.Height, recipe.Image.Width));
        check.Train(recipe);
    }

    private void Image(ImageRecipe image, int patch)
    {
        Whole("encoder.patch", patch, 1, LargestSide);
        foreach ((string key, int side) in Sides(image))
        {
            Whole(key, side, 1, LargestSide);
            Require(side % patch == 0, key, $"a multiple of encoder.patch, which is {patch}", side);
        }
        Whole("image.channels", image.Channels, 1, 16);
        foreach ((string key, IReadOnlyList<double> list) in new[]
        {
            ("image.mean", image.Mean), ("image.std", image.Std),
        })
        {
            Require(list.Count == image.Channels, key,
                $"a list of {image.Channels} numbers, one per channel", List(list));
        }
        Require(image.Std.All(std => std > 0), "image.std", "a list of numbers above 0", List(image.Std));
    }

    private void Encoder(Recipe recipe)
    {
        EncoderRecipe encoder = recipe.Encoder;
        Require(encoder.LayerScale >= 0, "encoder.layer_scale", "a number of at least 0", encoder.LayerScale);
        Require(encoder.DropPath is >= 0 and < 1, "encoder.drop_path", "a number from 0 to below 1", encoder.DropPath);
        if (encoder.Kind == EncoderKind.Vit)
        {
            Require(encoder.Position != PositionKind.SinCos || encoder.Dim % 4 == 0, "encoder.dim",
                "a multiple of 4, for a sine and a cosine of both directions", encoder.Dim);
            Blocks("encoder", encoder.Dim, encoder.Depth, encoder.Heads, encoder.MlpRatio);
            return;
        }
        Stages(recipe);
    }

    private void Stages(Recipe recipe)
    {
        EncoderRecipe encoder = recipe.Encoder;
        int stages = encoder.Depths.Count;
        Require(stages is >= 1 and <= MostStages && encoder.Depths.All(d => d is >= 1 and <= LargestDepth), "encoder.depths",
            $"a list of 1 to {MostStages} whole numbers from 1 to {LargestDepth}", List(encoder.Depths));
        Require(encoder.StageHeads.Count == stages && encoder.StageHeads.All(h => h >= 1), "encoder.stage_heads",
            $"a list of {stages} whole numbers above 0, one for each of encoder.depths", List(encoder.StageHeads));
        for (var i = 0; i < stages; i++)
        {
            Blocks("encoder", encoder.Dim << i, encoder.Depths[i], encoder.StageHeads[i], encoder.MlpRatio, $"stage_heads[{i}]");
        }
        Whole("encoder.window", encoder.Window, 1, LargestSide);
        foreach ((string key, int side) in Sides(recipe.Image))
        {
            Require(side % recipe.Stride() == 0, key,
                $"a multiple of {recipe.Stride()}, which is encoder.patch doubled by each further stage", side);
        }
        for (var i = 0; i < stages; i++)
        {
            var patch = encoder.Patch << i;
            Windows("encoder.window", encoder.Window, recipe.Image.Height / patch, recipe.Image.Width / patch);
        }
        Require(encoder.RelativePosition is RelativePositionKind.Bias or RelativePositionKind.None, "encoder.relative_position",
            "bias or none, because the stages of a Swin transformer have different windows", Name("encoder.relative_position", recipe));
    }

    // Upstream's rule: a window as large as the smaller side, or larger, is clamped to it; others must tile the grid.
    private void Windows(string key, int window, int rows, int columns)
    {
        window = Math.Min(window, Math.Min(rows, columns));
        Require(rows % window == 0 && columns % window == 0, key,
            $"a divisor of the grid of {rows} x {columns} tokens that its windows have to tile", window);
    }

    // Which encoder, decoder and positions a method can work with.
    private void Fits(Recipe recipe)
    {
        bool isMae = recipe.Method == MethodKind.Mae, isSimMim = recipe.Method == MethodKind.SimMim;
        string method = Name("method", recipe);
        Require(recipe.Encoder.Kind == EncoderKind.Vit || isSimMim, "encoder.kind",
            $"vit, because {method} gives its encoder a set of patches and not a whole grid", Name("encoder.kind", recipe));
        Require(isMae == (recipe.Decoder.Kind == DecoderKind.Mae), "decoder.kind",
            isMae ? "mae, which fills in the patches that the encoder of mae does not see"
                : $"linear{(isSimMim ? ", mlp or inverse_swin" : " or mlp")}, because the encoder of {method} sees every place",
            Name("decoder.kind", recipe));
        Require(recipe.Decoder.Kind != DecoderKind.InverseSwin || isSimMim, "decoder.kind",
            $"linear or mlp, because the windows of {method} are no whole grid", Name("decoder.kind", recipe));
        Require(recipe.Method != MethodKind.LoMaR || recipe.Encoder.Position == PositionKind.None, "encoder.position",
            "none, because windows lie at random places", Name("encoder.position", recipe));
        Require(recipe.Encoder.Position != PositionKind.SinCos || recipe.Encoder.Kind == EncoderKind.Vit, "encoder.position",
            "learned or none with a Swin transformer", Name("encoder.position", recipe));
        Require(!isMae || recipe.Encoder.RelativePosition == RelativePositionKind.None, "encoder.relative_position",
            "none, because every image shows mae's encoder other patches", Name("encoder.relative_position", recipe));
        Require(recipe.Loss.Pixels == LossPixels.Masked || isSimMim, "loss.pixels",
            $"masked, because {method} predicts nothing else", Name("loss.pixels", recipe));
    }

    // What says nothing to the method or the encoder must not look as if it did.
    private void Unused(Recipe recipe)
    {
        var differences = recipe.Differences();
        void Left(bool isUsed, string by, params string[] keys)
        {
            foreach (var found in differences.Where(d => !isUsed && keys.Contains(d.Key)).Take(1))
            {
                Require(false, found.Key, $"left at {found.Default}, because {by} does not use it", found.Value);
            }
        }
        string method = Name("method", recipe), encoder = Name("encoder.kind", recipe);
        Left(recipe.Method == MethodKind.SimMim, method, "mask.kind", "mask.patch");
        Left(recipe.Method == MethodKind.LoMaR, method, "mask.windows", "mask.window", "mask.shared_windows", "mask.token");
        Left(recipe.Encoder.Kind == EncoderKind.Swin, encoder, "encoder.depths", "encoder.stage_heads", "encoder.window");
        Left(recipe.Encoder.Kind == EncoderKind.Vit, encoder, "encoder.depth", "encoder.heads");
    }

    private void Target(Recipe recipe)
    {
        TargetRecipe target = recipe.Target;
        Require(target.LowPass >= 0, "target.low_pass", "a bandwidth in frequency bins of at least 0", target.LowPass);
        int stride = recipe.Decoder.Kind == DecoderKind.InverseSwin
            ? Math.Max(1, recipe.Stride() >> (recipe.Decoder.Depths.Count - 1)) : recipe.Stride();
        Require(target.Reduction >= 1 && stride % target.Reduction == 0, "target.reduction",
            $"a divisor of {stride}, the pixels between two predictions", target.Reduction);
        Require(recipe.Method != MethodKind.SimMim || recipe.Mask.Patch % target.Reduction == 0, "target.reduction",
            $"a divisor of mask.patch, which is {recipe.Mask.Patch}", target.Reduction);
        Require(target.Kind == TargetKind.RawPixels || stride / target.Reduction * (stride / target.Reduction) * recipe.Image.Channels > 1,
            "target.kind", "raw_pixels where a patch holds a single number, whose variance is not defined",
            Name("target.kind", recipe));
    }

    private void Decoder(Recipe recipe)
    {
        DecoderRecipe decoder = recipe.Decoder;
        if (decoder.Kind == DecoderKind.Mae)
        {
            Require(decoder.Dim % 4 == 0, "decoder.dim",
                "a multiple of 4, for a sine and a cosine of both directions", decoder.Dim);
            Blocks("decoder", decoder.Dim, decoder.Depth, decoder.Heads, decoder.MlpRatio);
        }
        if (decoder.Kind != DecoderKind.InverseSwin)
        {
            return;
        }
        int stages = decoder.Depths.Count, most = 1 + System.Numerics.BitOperations.TrailingZeroCount(recipe.Stride());
        Require(stages >= 1 && stages <= most && decoder.Depths.All(d => d is >= 1 and <= LargestDepth), "decoder.depths",
            $"a list of 1 to {most} whole numbers from 1 to {LargestDepth}, because the head halves the encoder's stride of "
            + $"{recipe.Stride()} pixels from stage to stage", List(decoder.Depths));
        int halved = 1 << (stages - 1);
        Require(decoder.Heads % halved == 0, "decoder.heads",
            $"a multiple of {halved}, because {stages} stages halve it {stages - 1} times", decoder.Heads);
        Require(recipe.OutputDim() % halved == 0, "decoder.depths",
            $"fewer stages, because the encoder's {recipe.OutputDim()} channels cannot be halved {stages - 1} times",
            List(decoder.Depths));
        Whole("decoder.window", decoder.Window, 1, LargestSide);
        for (var i = 0; i < stages; i++)
        {
            Heads("decoder.heads", recipe.OutputDim() >> i, decoder.Heads >> i, decoder.MlpRatio, "decoder.mlp_ratio");
            var patch = recipe.Stride() >> i;
            Windows("decoder.window", decoder.Window, recipe.Image.Height / patch, recipe.Image.Width / patch);
        }
    }

    private void Blocks(string section, int dim, int depth, int heads, double mlpRatio, string headsKey = "heads")
    {
        Whole($"{section}.dim", dim, 1, LargestDim);
        Whole($"{section}.depth", depth, 1, LargestDepth);
        Whole($"{section}.{headsKey}", heads, 1, LargestDim);
        Heads($"{section}.{headsKey}", dim, heads, mlpRatio, $"{section}.mlp_ratio");
    }

    private void Heads(string headsKey, int dim, int heads, double mlpRatio, string ratioKey)
    {
        Require(heads >= 1 && dim % heads == 0, headsKey, $"a divisor of the {dim} channels of a token", heads);
        Require(dim / heads <= LargestHead, headsKey,
            $"at least {(dim + LargestHead - 1) / LargestHead}, because a head has at most {LargestHead} of the {dim} channels", heads);
        Require(mlpRatio is > 0 and <= 64 && double.IsInteger(dim * mlpRatio), ratioKey,
            $"a number above 0, at most 64, and whole when multiplied by the {dim} channels of a token", mlpRatio);
    }

    private void Mask(Recipe recipe)
    {
        MaskRecipe mask = recipe.Mask;
        Require(mask.Ratio is > 0 and < 1, "mask.ratio", "a number between 0 and 1, both excluded", mask.Ratio);
        switch (recipe.Method)
        {
            case MethodKind.Mae:
                Hides(recipe.Patches() - MaskCounts.MaeKept(recipe.Patches(), mask.Ratio), recipe.Patches(), "patches of an image", mask);
                break;
            case MethodKind.SimMim:
                MaskPatch(recipe);
                int units = recipe.Image.Height / mask.Patch * (recipe.Image.Width / mask.Patch);
                Hides(MaskCounts.SimMimMasked(units, mask.Ratio), units, $"mask patches of {mask.Patch} pixels", mask);
                break;
            case MethodKind.LoMaR:
                WindowsOfImage(recipe);
                int patches = mask.Window * mask.Window;
                Hides(MaskCounts.LoMaRMasked(patches, mask.Ratio), patches, "patches of a window", mask);
                break;
        }
    }

    private void Hides(int hidden, int all, string what, MaskRecipe mask) => Require(
        hidden > 0 && hidden < all, "mask.ratio", $"a share that hides some of the {all} {what} and leaves some", mask.Ratio);

    private void MaskPatch(Recipe recipe)
    {
        int patch = recipe.Mask.Patch;
        Require(patch >= 1 && patch % recipe.Encoder.Patch == 0, "mask.patch",
            $"a multiple of encoder.patch, which is {recipe.Encoder.Patch}", patch);
        Require(recipe.Image.Height % patch == 0 && recipe.Image.Width % patch == 0, "mask.patch",
            $"a divisor of the image's {recipe.Image.Height} x {recipe.Image.Width} pixels", patch);
    }

    private void WindowsOfImage(Recipe recipe)
    {
        int rows = recipe.Image.Height / recipe.Encoder.Patch, columns = recipe.Image.Width / recipe.Encoder.Patch;
        Require(recipe.Mask.Window >= 2 && recipe.Mask.Window <= Math.Min(rows, columns), "mask.window",
            $"a whole number from 2 to {Math.Min(rows, columns)}, the smaller side of the grid of {rows} x {columns} patches",
            recipe.Mask.Window);
        Whole("mask.windows", recipe.Mask.Windows, 1, LargestSide);
    }

    private void Transform(TransformRecipe transform, int side)
    {
        Require(transform.Scale is [> 0, <= 1] && transform.Scale[0] <= transform.Scale[1],
            "transform.scale", "two rising numbers above 0 and at most 1", List(transform.Scale));
        Require(transform.Ratio is [> 0, > 0] && transform.Ratio[0] <= transform.Ratio[1],
            "transform.ratio", "two rising numbers above 0", List(transform.Ratio));
        Require(transform.Flip is >= 0 and <= 1, "transform.flip", "a number from 0 to 1", transform.Flip);
        Whole("transform.padding", transform.Padding, 0, LargestSide);
        Require(transform.Kind != TransformKind.SimpleResizedCrop || transform.Padding < side, "transform.padding",
            $"below the image's shorter side, which is {side}, because the padding mirrors it", transform.Padding);
    }

    private void Train(Recipe recipe)
    {
        TrainRecipe train = recipe.Train;
        Whole("train.epochs", train.Epochs, 1, Million);
        Whole("train.batch", train.Batch, 1, 1 << 18);
        Whole("train.accumulation", train.Accumulation, 1, 1 << 12);
        Above("train.base_lr", train.BaseLearningRate, 0);
        Above("train.lr_divisor", train.LearningRateDivisor, 0);
        double rate = recipe.EffectiveLearningRate();
        foreach ((string key, double value, double effective) in new[]
        {
            ("train.min_lr", train.MinimumLearningRate, recipe.EffectiveMinimumLearningRate()),
            ("train.warmup_lr", train.WarmupLearningRate, recipe.EffectiveWarmupLearningRate()),
        })
        {
            Require(effective >= 0 && effective <= rate, key,
                train.Schedule == ScheduleKind.Cosine ? $"a number from 0 to the effective rate {Text(rate)}"
                    : $"a number from 0 to train.base_lr, which is {Text(train.BaseLearningRate)}", value);
        }
        Require(train.Milestones.Zip(train.Milestones.Skip(1)).All(m => m.First < m.Second)
            && train.Milestones.All(m => m >= 1), "train.milestones", "a rising list of epochs", List(train.Milestones));
        Above("train.gamma", train.Gamma, 0);
        Require(train.WarmupEpochs >= 0 && train.WarmupEpochs <= train.Epochs, "train.warmup_epochs",
            $"a number from 0 to train.epochs, which is {train.Epochs}", train.WarmupEpochs);
        Require(train.WeightDecay >= 0, "train.weight_decay", "a number of at least 0", train.WeightDecay);
        Require(train.Beta1 is >= 0 and < 1, "train.beta1", "a number from 0 to below 1", train.Beta1);
        Require(train.Beta2 is >= 0 and < 1, "train.beta2", "a number from 0 to below 1", train.Beta2);
        Above("train.eps", train.Epsilon, 0);
        Require(train.Clip >= 0, "train.clip", "a number of at least 0", train.Clip);
    }

    private void Whole(string key, int value, int smallest, int largest) =>
        Require(value >= smallest && value <= largest, key,
            $"a whole number from {smallest} to {largest}", value);

    private void Above(string key, double value, double limit) =>
        Require(value > limit, key, $"a number above {Text(limit)}", value);

    private void Require(bool condition, string key, string expected, double came) =>
        Require(condition, key, expected, Text(came));

    private void Require(bool condition, string key, string expected, string came)
    {
        if (!condition)
        {
            throw new RecipeException($"{_source}: {key} should be {expected}, but is {came}.");
        }
    }

    private static (string Key, int Side)[] Sides(ImageRecipe image) =>
        [("image.height", image.Height), ("image.width", image.Width)];

    // A choice as recipes spell it.
    private static string Name(string key, Recipe recipe) => recipe.Text(key);

    private static string List(IEnumerable<int> values) => $"[{string.Join(", ", values)}]";

    private static string List(IEnumerable<double> values) => $"[{string.Join(", ", values.Select(Text))}]";

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
