using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Recipes;

public sealed partial record Recipe
{
    /// <summary>
    /// What is published for a method: MAE with ViT-B/16 or ConvMAE-B's encoder, SimMIM with ViT-B/16 or Swin-B, LoMaR with ViT-B/16. A recipe of the method
    /// begins with these values.
    /// </summary>
    public static Recipe DefaultsOf(MethodKind method, EncoderKind encoder)
    {
        var recipe = (method, encoder) switch
        {
            (MethodKind.SimMim, EncoderKind.Swin) => SimMimSwin,
            (MethodKind.SimMim, _) => SimMimVit,
            (MethodKind.LoMaR, _) => LoMaRVit,
            (MethodKind.Mae, EncoderKind.ConvVit) => ConvMae,
            _ => new Recipe(),
        };
        return recipe with { Encoder = EncoderOf(method, encoder) };
    }

    private static Recipe SimMimVit => new()
    {
        Method = MethodKind.SimMim,
        Decoder = new() { Kind = DecoderKind.Linear },
        Mask = new() { Ratio = 0.6 },
        Target = new() { Kind = TargetKind.RawPixels },
        Loss = new() { Kind = LossKind.L1 },
        Transform = new() { Scale = [0.67, 1], Interpolation = Interpolation.Bilinear },
        Train = new()
        {
            Batch = 2048,
            BaseLearningRate = 1e-4,
            LearningRateDivisor = 512,
            WarmupLearningRate = 5e-7,
            WarmupEpochs = 10,
            Schedule = ScheduleKind.MultiStep,
            Beta2 = 0.999,
            Clip = 5,
            NoDecay = ["cls_token", "pos_embed"],
        },
    };

    private static Recipe SimMimSwin => SimMimVit with
    {
        Image = new() { Height = 192, Width = 192 },
        Train = SimMimVit.Train with { NoDecay = ["absolute_pos_embed", "mask_token"] },
    };

    private static Recipe LoMaRVit => new()
    {
        Method = MethodKind.LoMaR,
        Decoder = new() { Kind = DecoderKind.Linear },
        Mask = new() { Ratio = 0.8 },
        Train = new() { Epochs = 400, WarmupEpochs = 20 },
    };

    private static Recipe ConvMae => new()
    {
        Train = new() { Epochs = 1600, Batch = 3072 },
    };

    private static EncoderRecipe EncoderOf(MethodKind method, EncoderKind encoder) => (method, encoder) switch
    {
        (_, EncoderKind.Swin) => new()
        {
            Kind = EncoderKind.Swin,
            Patch = 4,
            Dim = 128,
            Position = PositionKind.None,
            RelativePosition = RelativePositionKind.Bias,
        },
        (_, EncoderKind.ConvVit) => new() { Kind = EncoderKind.ConvVit, Depths = [2, 2, 11] },
        (MethodKind.SimMim, _) => new()
        {
            Position = PositionKind.None,
            RelativePosition = RelativePositionKind.SharedBias,
            KeyBias = false,
            LayerScale = 0.1,
            DropPath = 0.1,
        },
        (MethodKind.LoMaR, _) => new()
        {
            Position = PositionKind.None,
            RelativePosition = RelativePositionKind.Contextual,
        },
        _ => new(),
    };
}
