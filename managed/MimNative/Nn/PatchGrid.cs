namespace MimNative.Nn;

/// <summary>How images are cut into patches.</summary>
/// <param name="Height">Image height in pixels; a multiple of the patch.</param>
/// <param name="Width">Image width in pixels; a multiple of the patch.</param>
/// <param name="Channels">Channels of an image.</param>
/// <param name="Patch">Patch height and width in pixels.</param>
public readonly record struct PatchGrid(int Height, int Width, int Channels, int Patch)
{
    /// <summary>Rows of patches.</summary>
    public int Rows => Height / Patch;

    /// <summary>Columns of patches.</summary>
    public int Columns => Width / Patch;

    /// <summary>Patches of an image.</summary>
    public int Count => Rows * Columns;

    /// <summary>Numbers in a patch.</summary>
    public int PatchSize => Patch * Patch * Channels;

    /// <summary>Throws where the image cannot be cut into whole patches.</summary>
    public void Validate()
    {
        if (Patch < 1 || Channels < 1 || Height < 1 || Width < 1 || Height % Patch != 0 || Width % Patch != 0)
        {
            throw new ArgumentException(
                $"patches of {Patch} pixels do not divide images of {Height} x {Width} x {Channels} (height x width x channels)");
        }
    }
}
