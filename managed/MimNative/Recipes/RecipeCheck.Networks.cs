using MimNative.Nn;

namespace MimNative.Recipes;

// Sizes of the encoder and of what stands behind it.
internal sealed partial class RecipeCheck
{
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
        }
        else if (encoder.Kind == EncoderKind.ConvVit)
        {
            ConvStages(encoder);
        }
        else
        {
            Stages(recipe);
        }
    }

    private void ConvStages(EncoderRecipe encoder)
    {
        Require(encoder.Patch % 4 == 0, "encoder.patch", "a multiple of 4, because the last two stages halve the resolution", encoder.Patch);
        Require(encoder.Dims.Count == 3 && encoder.Dims.All(d => d is >= 1 and <= LargestDim), "encoder.dims",
            $"a list of 3 whole numbers from 1 to {LargestDim}", List(encoder.Dims));
        Require(encoder.Depths.Count == 3 && encoder.Depths.All(d => d is >= 1 and <= LargestDepth), "encoder.depths",
            $"a list of 3 whole numbers from 1 to {LargestDepth}", List(encoder.Depths));
        Require(encoder.Position != PositionKind.SinCos || encoder.Dims[2] % 4 == 0, "encoder.dims",
            "a list whose last number is a multiple of 4, for a sine and a cosine of both directions", List(encoder.Dims));
        foreach (var dim in encoder.Dims)
        {
            MlpRatio("encoder.mlp_ratio", dim, encoder.MlpRatio);
        }
        Heads("encoder.heads", encoder.Dims[2], encoder.Heads, encoder.MlpRatio, "encoder.mlp_ratio");
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

    private void Decoder(Recipe recipe)
    {
        DecoderRecipe decoder = recipe.Decoder;
        if (decoder.Kind == DecoderKind.Mae)
        {
            Require(decoder.Dim % 4 == 0, "decoder.dim",
                "a multiple of 4, for a sine and a cosine of both directions", decoder.Dim);
            Blocks("decoder", decoder.Dim, decoder.Depth, decoder.Heads, decoder.MlpRatio);
            int rows = recipe.Image.Height / recipe.Encoder.Patch, columns = recipe.Image.Width / recipe.Encoder.Patch;
            Require(decoder.Downsampling >= 1 && rows % decoder.Downsampling == 0 && columns % decoder.Downsampling == 0,
                "decoder.downsampling", $"a divisor of the grid of {rows} x {columns} patches", decoder.Downsampling);
            Require(decoder.PredictionDownsampling == 1 || decoder.PredictionDownsampling == decoder.Downsampling,
                "decoder.prediction_downsampling",
                $"1 or decoder.downsampling, which is {decoder.Downsampling}", decoder.PredictionDownsampling);
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
        MlpRatio(ratioKey, dim, mlpRatio);
    }

    private void MlpRatio(string key, int dim, double mlpRatio) =>
        Require(mlpRatio is > 0 and <= 64 && double.IsInteger(dim * mlpRatio), key,
            $"a number above 0, at most 64, and whole when multiplied by the {dim} channels of a token", mlpRatio);
}
