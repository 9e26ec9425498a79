using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary>Picture files; what is wrong with one is a sentence that names it.</summary>
internal static class Pictures
{
    public static Image Read(string path)
    {
        try
        {
            return Image.Decode(File.ReadAllBytes(path));
        }
        catch (MimException e) when (e.Status is MimStatus.CorruptData or MimStatus.InvalidArgument or MimStatus.Unsupported)
        {
            throw new InvalidFileException($"the picture '{path}' cannot be decoded: {e.Message}", e);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new InvalidFileException(
                File.Exists(path)
                    ? $"the picture '{path}' cannot be read: {DiskFailure.Reason(e)}"
                    : $"there is no picture '{path}'", e);
        }
    }

    public static void Write(string path, Image picture) => OutputFile.Write(path, picture.EncodePng());
}
