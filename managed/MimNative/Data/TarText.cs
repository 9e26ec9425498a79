using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace MimNative.Data;

/// <summary>Names inside a tar archive, as text.</summary>
internal static class TarText
{
    /// <summary>
    /// The bytes up to the first zero as UTF-8. Old archives have names in other character sets, and nothing says
    /// which: a byte that is no UTF-8 is shown as \xE9 or whatever it is. A backslash that would read like that is
    /// shown as \x5C, so that different bytes are always different text.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        bytes = end < 0 ? bytes : bytes[..end];
        return Utf8.IsValid(bytes) && bytes.IndexOf(@"\x"u8) < 0 ? Encoding.UTF8.GetString(bytes) : Escaped(bytes);
    }

    /// <summary>
    /// A path without "." and empty parts, without a leading slash, and with "folder/.." taken out: what two names of
    /// the same file have in common.
    /// </summary>
    public static string Normalized(string path)
    {
        bool isPlain = path.Length == 0 || (path[0] is not ('.' or '/') && path[^1] != '/' &&
                                            !path.Contains("/.", StringComparison.Ordinal) &&
                                            !path.Contains("//", StringComparison.Ordinal));
        if (isPlain)
        {
            return path;
        }
        var parts = new List<string>();
        foreach (string part in path.Split('/'))
        {
            Step(parts, part);
        }
        return string.Join('/', parts);
    }

    /// <summary>Goes one part of a path further: into a folder, out of it, or nowhere.</summary>
    public static void Step(List<string> parts, string part)
    {
        if (part is "" or ".")
        {
            return;
        }
        if (part == ".." && parts.Count > 0 && parts[^1] != "..")
        {
            parts.RemoveAt(parts.Count - 1);
            return;
        }
        parts.Add(part);
    }

    private static string Escaped(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        while (!bytes.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(bytes, out var rune, out int count) == OperationStatus.Done;
            if (valid && !bytes.StartsWith(@"\x"u8))
            {
                text.Append(rune);
            }
            else
            {
                foreach (byte odd in bytes[..count])
                {
                    text.Append($"\\x{odd:X2}");
                }
            }
            bytes = bytes[count..];
        }
        return text.ToString();
    }
}
