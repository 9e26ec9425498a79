namespace MimNative.Export;

/// <summary>
/// A file that was to be read is missing, unreadable, damaged, or not what it has to be. The message
/// is one sentence that begins with the file's path and names the part of it that is wrong.
/// </summary>
public sealed class InvalidFileException : Exception
{
    /// <summary>An error without a file; prefer the constructor that names one.</summary>
    public InvalidFileException() : this("A file is not valid.") { }

    /// <summary>An error with a complete message.</summary>
    public InvalidFileException(string message) : base(message) { }

    /// <summary>An error with a complete message and the error that led to it.</summary>
    public InvalidFileException(string message, Exception? inner) : base(message, inner) { }

    /// <summary>An error in the file <paramref name="path"/>.</summary>
    public InvalidFileException(string path, string problem, Exception? inner = null)
        : base($"{path}: {problem}", inner) => Path = path;

    /// <summary>The file, or null when it is not known.</summary>
    public string? Path { get; }
}
