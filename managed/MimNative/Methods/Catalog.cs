using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Methods;

/// <summary>The methods by the names that recipes call them. To add one is to add a line here.</summary>
public static class Catalog
{
    private static readonly Dictionary<MethodKind, Func<ParameterScope, Recipe, IMethod>> Methods = new()
    {
        [MethodKind.Mae] = CreateMae,
        [MethodKind.SimMim] = CreateSimMim,
        [MethodKind.LoMaR] = CreateLoMaR,
    };

    /// <summary>Registers the parameters of a recipe's method; the store is allocated afterwards.</summary>
    public static IMethod Create(ParameterScope scope, Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return Methods[recipe.Method](scope, recipe);
    }

    private static Mae CreateMae(ParameterScope scope, Recipe recipe) => new(
        scope,
        new MaeSettings(
            new MaeDecoderSettings(recipe.Decoder.Dim, recipe.Decoder.Depth, recipe.Decoder.Heads, recipe.Decoder.MlpRatio)
            {
                KeyBias = recipe.Encoder.KeyBias,     // upstream has one switch for both
                Downsampling = recipe.Decoder.Downsampling,
                PredictionDownsampling = recipe.Decoder.PredictionDownsampling,
            },
            recipe.Mask.Ratio, TargetOf(recipe), recipe.Loss.Kind, (float)recipe.Loss.Beta, recipe.Mask.Downsampling),
        encoder => recipe.Encoder.Kind == EncoderKind.ConvVit
            ? new ConvVitEncoder(encoder, ConvVit(recipe))
            : new VitEncoder(encoder, Vit(recipe)));

    private static SimMim CreateSimMim(ParameterScope scope, Recipe recipe) => new(
        scope,
        new SimMimSettings(
            recipe.Mask.Kind, recipe.Mask.Ratio, recipe.Mask.Patch, TargetOf(recipe), recipe.Loss.Kind, (float)recipe.Loss.Beta,
            recipe.Loss.Pixels == LossPixels.All),
        encoder => recipe.Encoder.Kind == EncoderKind.Swin
            ? new SwinEncoder(encoder, Swin(recipe))
            : new VitEncoder(encoder, Vit(recipe) with { MaskToken = MaskTokenKind.Learned, NormalInit = true }),
        (decoder, encoder) => Head(decoder, recipe, encoder.OutputGrid, encoder.OutputDim));

    private static LoMaR CreateLoMaR(ParameterScope scope, Recipe recipe) => new(
        scope,
        new LoMaRSettings(
            Vit(recipe), recipe.Mask.Window, recipe.Mask.Windows, recipe.Mask.Ratio, TargetOf(recipe), recipe.Mask.SharedWindows,
            recipe.Mask.Token, recipe.Loss.Kind, (float)recipe.Loss.Beta),
        (decoder, encoder) => Head(decoder, recipe, encoder.Grid, encoder.Settings.Dim));

    // SimMIM's layers are convolutions upstream and named as parts of a sequence; LoMaR's is a linear layer.
    private static IPredictionHead Head(ParameterScope scope, Recipe recipe, PatchGrid grid, int dim)
    {
        var decoder = recipe.Decoder;
        var reduction = recipe.Target.Reduction;
        var values = grid.PatchSize / (reduction * reduction);
        var isSimMim = recipe.Method == MethodKind.SimMim;
        var init = isSimMim ? WeightInits.Convolution : WeightInits.Xavier;
        return decoder.Kind switch
        {
            DecoderKind.Linear => new LinearHead(isSimMim ? scope["0"] : scope, grid, dim, values, init, isConvolution: isSimMim),
            DecoderKind.Mlp => new MlpHead(scope, grid, dim, values, init),
            DecoderKind.InverseSwin => new InverseSwinHead(
                scope, new InverseSwinSettings(decoder.Depths, decoder.Heads, decoder.Window, decoder.MlpRatio), grid, dim, reduction),
            var other => throw new ArgumentException($"decoder.kind {other} is no prediction head"),
        };
    }

    private static PatchGrid Grid(Recipe recipe) =>
        new(recipe.Image.Height, recipe.Image.Width, recipe.Image.Channels, recipe.Encoder.Patch);

    private static VitSettings Vit(Recipe recipe)
    {
        var encoder = recipe.Encoder;
        return new VitSettings(Grid(recipe), encoder.Dim, encoder.Depth, encoder.Heads, encoder.MlpRatio)
        {
            Position = encoder.Position,
            RelativePosition = encoder.RelativePosition,
            KeyBias = encoder.KeyBias,
            LayerScale = encoder.LayerScale,
            DropPath = encoder.DropPath,
        };
    }

    // ConvMAE's patches of 16 pixels are 4, 2 and 2: the last two stages halve the resolution, the first makes up the rest.
    private static ConvVitSettings ConvVit(Recipe recipe)
    {
        var encoder = recipe.Encoder;
        ConvVitStage Stage(int i, int patch) => new(patch, encoder.Dims[i], encoder.Depths[i], encoder.MlpRatio);
        return new ConvVitSettings(Grid(recipe), Stage(0, encoder.Patch / 4), Stage(1, 2), Stage(2, 2), encoder.Heads)
        {
            Position = encoder.Position,
            KeyBias = encoder.KeyBias,
        };
    }

    private static SwinSettings Swin(Recipe recipe)
    {
        var encoder = recipe.Encoder;
        return new SwinSettings(
            Grid(recipe), encoder.Dim, encoder.Depths, encoder.StageHeads, encoder.Window, encoder.MlpRatio)
        {
            PatchNorm = encoder.PatchNorm,
            AbsolutePosition = encoder.Position == PositionKind.Learned,
            RelativePosition = encoder.RelativePosition == RelativePositionKind.Bias,
            KeyBias = encoder.KeyBias,
            LayerScale = encoder.LayerScale,
            DropPath = encoder.DropPath,
        };
    }

    private static Target TargetOf(Recipe recipe)
    {
        Target target = recipe.Target.Kind switch
        {
            TargetKind.RawPixels => new RawPixels(),
            TargetKind.NormalizedPixels => new NormalizedPixels(),
            var other => throw new ArgumentException($"target.kind {other} has no target"),
        };
        if (recipe.Target.Reduction > 1)
        {
            target = new ReducedPixels(target, recipe.Target.Reduction);
        }
        return recipe.Target.LowPass == 0
            ? target
            : new LowPassPixels(
                target, recipe.Target.LowPass, recipe.Target.LowPassMode,
                [.. recipe.Image.Mean.Select(m => (float)m)], [.. recipe.Image.Std.Select(s => (float)s)]);
    }
}
