using System.Globalization;

namespace MimNative.Recipes;

/// <summary>The ranges of a recipe's values, and how they have to fit each other.</summary>
internal sealed partial class RecipeCheck
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
