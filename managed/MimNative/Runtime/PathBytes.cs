using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace MimNative.Runtime;

/// <summary>
/// Paths whose bytes are no UTF-8, kept in strings. On Linux a name is any bytes, and old archives leave some in Latin-1. A byte that is
/// not part of UTF-8 text becomes the character U+DC00 plus the byte, which no valid text contains (as Python's "surrogateescape"
/// does it), so the string stands for exactly one name. Only <see cref="Disk"/> can open it; people are shown the byte as \xE9.
/// </summary>
internal static partial class PathBytes
{
    private const char First = '\uDC80', Last = '\uDCFF', Escape = '\uDC00', Lost = '\uFFFD';

    // A hit only means to look closely: a pair's second half looks like an odd byte.
    private static readonly SearchValues<char> Suspects = SearchValues.Create(
        [.. Enumerable.Range(First, Last - First + 1).Concat(Enumerable.Range(0, 0x20)).Select(c => (char)c), '\x7f', '\\']);

    /// <summary>The string for a name's bytes.</summary>
    public static string FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            bool isText = Rune.DecodeFromUtf8(bytes, out var rune, out int count) == OperationStatus.Done;
            foreach (byte odd in isText ? [] : bytes[..count])
            {
                text.Append((char)(Escape + odd));
            }
            text.Append(isText ? rune.ToString() : "");
            bytes = bytes[count..];
        }
        return text.ToString();
    }

    /// <summary>The bytes that a string stands for.</summary>
    public static byte[] ToBytes(string path)
    {
        if (IsText(path))
        {
            return Encoding.UTF8.GetBytes(path);
        }
        var bytes = new List<byte>(path.Length + 16);
        Span<byte> encoded = stackalloc byte[4];
        for (int i = 0; i < path.Length;)
        {
            if (IsOddByte(path, i))
            {
                bytes.Add((byte)(path[i++] - Escape));
                continue;
            }
            _ = Rune.DecodeFromUtf16(path.AsSpan(i), out var rune, out int count);
            bytes.AddRange(encoded[..rune.EncodeToUtf8(encoded)]);
            i += count;
        }
        return [.. bytes];
    }

    /// <summary>True where .NET's own file functions can open the path: it is valid text.</summary>
    public static bool IsText(string path) =>
        !path.AsSpan().ContainsAnyInRange(First, Last) || !Enumerable.Range(0, path.Length).Any(i => IsOddByte(path, i));

    /// <summary>
    /// For people, lists and hashes: odd bytes, and control characters that would break a line, as \xE9. A backslash that would read like
    /// that is shown as \x5C, so that different names are always shown differently.
    /// </summary>
    public static string Shown(string path)
    {
        if (!path.AsSpan().ContainsAny(Suspects))
        {
            return path;
        }
        var text = new StringBuilder(path.Length + 16);
        for (int i = 0; i < path.Length; ++i)
        {
            bool isShownAsNumber = IsOddByte(path, i) || path[i] < 0x20 || path[i] == 0x7f ||
                path.AsSpan(i).StartsWith(@"\x", StringComparison.Ordinal);
            _ = isShownAsNumber ? text.Append(CultureInfo.InvariantCulture, $"\\x{path[i] & 0xff:X2}") : text.Append(path[i]);
        }
        return text.ToString();
    }

    /// <summary>The path that <see cref="Shown"/> shows so.</summary>
    public static string FromShown(string text) => ShownByte().Replace(text, match =>
    {
        int code = Convert.ToInt32(match.Groups[1].Value, 16);
        return ((char)(code < 0x80 ? code : Escape + code)).ToString();
    });

    /// <summary>
    /// The name as a program sees it that decodes names as UTF-8 text: with U+FFFD in the place of odd bytes, once for a row of them,
    /// since decoders differ in how many they write.
    /// </summary>
    public static string WithLoss(string path)
    {
        var text = new StringBuilder(path.Length);
        for (int i = 0; i < path.Length; ++i)
        {
            char c = IsOddByte(path, i) ? Lost : path[i];
            _ = c == Lost && text.Length > 0 && text[^1] == Lost ? text : text.Append(c);
        }
        return text.ToString();
    }

    /// <summary>True where a decoder has lost bytes of the path.</summary>
    public static bool HasLoss(string path) => path.Contains(Lost);

    // The second half of a pair is an ordinary character's.
    private static bool IsOddByte(string path, int i) =>
        path[i] is >= First and <= Last && (i == 0 || !char.IsHighSurrogate(path[i - 1]));

    [GeneratedRegex(@"\\x([0-9A-Fa-f]{2})")]
    private static partial Regex ShownByte();
}
