namespace MimNative.Recipes;

public sealed partial record Recipe
{
    /// <summary>
    /// The recipe that this one changes: the one of the library that was loaded by name, what a file extends, or what is published for the
    /// method and the encoder. With <see cref="Differences(Recipe)"/> it tells a recipe in a few lines.
    /// </summary>
    /// <param name="loadedAs">What <see cref="Load"/> was given; where that is not known any more, the recipe's own name tells.</param>
    public Recipe Base(string? loadedAs = null)
    {
        var asked = loadedAs ?? Name;
        try
        {
            return Names.Contains(asked) ? Load(asked) : loadedAs is null ? DefaultsOf(Method, Encoder.Kind) : Extended(loadedAs);
        }
        catch (RecipeException)
        {
            // A base need not be a recipe that can be trained without what this one changes in it.
            return DefaultsOf(Method, Encoder.Kind);
        }
    }

    private Recipe Extended(string path)
    {
        (byte[] json, _) = Read(path, folder: "", askedBy: "");
        if (RecipeLayer.Parse(json, path).Extends is not { } extended)
        {
            return DefaultsOf(Method, Encoder.Kind);
        }
        (byte[] below, string stem) = Read(extended, Path.GetDirectoryName(path), $"{path}: extends: ");
        return Build(RecipeLayer.Parse(below, extended), extended, null, stem, []);
    }
}
