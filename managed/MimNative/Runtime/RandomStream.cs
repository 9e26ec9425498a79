namespace MimNative.Runtime;

/// <summary>What random numbers are for: numbers of different streams have nothing to do with each other.</summary>
public enum RandomStream
{
    /// <summary>Initial weights.</summary>
    Weights = 0,

    /// <summary>The order of the samples in an epoch.</summary>
    Order = 1,

    /// <summary>Crops and flips.</summary>
    Crop = 2,

    /// <summary>Masks.</summary>
    Mask = 3,

    /// <summary>Stochastic depth and dropout.</summary>
    Drop = 4,

    /// <summary>Pictures drawn by the library.</summary>
    Picture = 5,

    /// <summary>Places of windows.</summary>
    Window = 6,

    /// <summary>Pictures that stand in for those that cannot be decoded.</summary>
    StandIn = 7,
}
