namespace MimNative.Bindings;

/// <summary>A block comment without its stars and frame: a first paragraph, and the rest with its layout kept.</summary>
internal sealed record Comment(List<string> Summary, List<string> Remarks);

/// <summary>The lines of a header, counted from 1, and the comments between them. clang's tree has no plain comments.</summary>
internal sealed class HeaderText(string text)
{
    private readonly string[] _lines = text.ReplaceLineEndings("\n").Split('\n');

    public int Count => _lines.Length;

    public string this[int line] => _lines[line - 1];

    /// <summary>The comment that the file begins with.</summary>
    public Comment? Opening() => this[1].StartsWith("/*", StringComparison.Ordinal) ? Block(1, 0) : null;

    /// <summary>The comment that ends on the line above a declaration.</summary>
    public Comment? Above(int line)
    {
        var start = line - 1;
        if (start < 1 || !this[start].TrimEnd().EndsWith("*/", StringComparison.Ordinal))
            return null;
        while (!this[start].Contains("/*", StringComparison.Ordinal))
            start--;
        // a comment behind code belongs to that code
        return this[start].TrimStart().StartsWith("/*", StringComparison.Ordinal)
            ? Block(start, this[start].IndexOf("/*", StringComparison.Ordinal)) : null;
    }

    /// <summary>The comment that begins behind a declaration, on its line.</summary>
    public Comment? Beside(int line)
    {
        var start = this[line].IndexOf("/*", StringComparison.Ordinal);
        return start < 0 ? null : Block(line, start);
    }

    private Comment Block(int line, int column)
    {
        List<string> lines = [];
        var content = this[line][(column + 2)..];
        while (true)
        {
            var end = content.IndexOf("*/", StringComparison.Ordinal);
            lines.Add((end < 0 ? content : content[..end]).TrimEnd());
            if (end >= 0)
                break;
            content = WithoutFrame(this[++line], column);
        }
        lines[0] = lines[0].TrimStart();
        while (lines.Count > 0 && lines[^1].Length == 0)
            lines.RemoveAt(lines.Count - 1);

        // the first paragraph ends at an empty line or where formulas and shapes begin, which are indented
        var rest = lines.FindIndex(1, text => text.Length == 0 || text.StartsWith("  ", StringComparison.Ordinal));
        var summary = rest < 0 ? lines : lines[..rest];
        var remarks = rest < 0 ? [] : lines[rest..].SkipWhile(text => text.Length == 0).ToList();
        return new Comment(summary, remarks);
    }

    /// <summary>A later line of a block: without " * ", or without the indentation up to the comment's text.</summary>
    private static string WithoutFrame(string line, int column)
    {
        var content = line.TrimStart();
        if (content.StartsWith("*/", StringComparison.Ordinal))
            return content;
        if (content.StartsWith('*'))
            return content.Length > 1 && content[1] == ' ' ? content[2..] : content[1..];
        return line.Length > column + 3 && string.IsNullOrWhiteSpace(line[..(column + 3)]) ? line[(column + 3)..] : content;
    }
}
