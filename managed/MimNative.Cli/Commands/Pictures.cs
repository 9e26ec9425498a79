using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary>Picture files; what is wrong with one is a sentence that names it.</summary>
internal static class Pictures
{
    public static Image Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"there is no picture '{path}'");
        }
        try
        {
            return Image.Decode(File.ReadAllBytes(path));
        }
        catch (MimException e) when (e.Status == MimStatus.CorruptData)
        {
            throw new InvalidFileException($"'{path}' cannot be decoded: {e.Message}", e);
        }
    }

    public static void Write(string path, Image picture)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            {
                Directory.CreateDirectory(folder);
            }
            File.WriteAllBytes(path, picture.EncodePng());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the picture '{path}' cannot be written: {e.Message}", e);
        }
    }
}
