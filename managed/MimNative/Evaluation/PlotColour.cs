namespace MimNative.Evaluation;

/// <summary>A colour of a plot.</summary>
public readonly record struct PlotColour(byte Red, byte Green, byte Blue)
{
    /// <summary>Nearly black.</summary>
    public static PlotColour Ink => new(30, 30, 30);

    /// <summary>Light grey, for what stands behind.</summary>
    public static PlotColour Faint => new(190, 190, 190);

    /// <summary>Colours that are told apart, by people who do not see red and green apart too (Okabe and Ito 2008); they repeat.</summary>
    public static PlotColour Of(int line) => (line % 7) switch
    {
        0 => new(0, 114, 178),
        1 => new(213, 94, 0),
        2 => new(0, 158, 115),
        3 => new(204, 121, 167),
        4 => new(230, 159, 0),
        5 => new(86, 180, 233),
        _ => new(120, 120, 120),
    };
}
