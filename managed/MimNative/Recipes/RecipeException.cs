namespace MimNative.Recipes;

/// <summary>
/// A recipe, or a setting given on top of one, is wrong. The message is one sentence that names the key,
/// what was expected and what came.
/// </summary>
public sealed class RecipeException : Exception
{
    /// <summary>An error without an explanation; prefer the constructor that takes one.</summary>
    public RecipeException() : this("The recipe is not valid.") { }

    /// <summary>An error with a complete message.</summary>
    public RecipeException(string message) : base(message) { }

    /// <summary>An error with a complete message and the error that led to it.</summary>
    public RecipeException(string message, Exception? inner) : base(message, inner) { }
}
