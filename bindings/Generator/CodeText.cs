using System.Text;

namespace MimNative.Bindings;

/// <summary>C# text in the making: indentation, documentation, lists broken at the right margin.</summary>
internal sealed class CodeText
{
    private const int Columns = 120;
    private readonly StringBuilder _text = new();
    private int _indent;

    public override string ToString() => _text.ToString();

    public CodeText Line(string line = "")
    {
        if (line.Length > 0)
            _text.Append(' ', 4 * _indent).Append(line);
        _text.Append('\n');
        return this;
    }

    public CodeText Open(string line)
    {
        Line(line).Line("{");
        _indent++;
        return this;
    }

    public CodeText Close(string end = "}")
    {
        _indent--;
        return Line(end);
    }

    /// <summary>start, items with commas, end; on several lines where one is not enough.</summary>
    public CodeText List(string start, IEnumerable<string> items, string end)
    {
        var line = start;
        var separator = "";
        var margin = new string(' ', line.Length - line.TrimStart().Length + 4);
        var all = items.ToArray();
        for (var i = 0; i < all.Length; i++)
        {
            var item = all[i] + (i + 1 < all.Length ? "," : end);
            if (4 * _indent + line.Length + separator.Length + item.Length > Columns)
            {
                Line(line);
                (line, separator) = (margin, "");
            }
            line += separator + item;
            separator = " ";
        }
        return Line(all.Length == 0 ? start + end : line);
    }

    public CodeText Documentation(Comment? comment)
    {
        if (comment is null)
            return this;
        var summary = comment.Summary.Select(Escape).ToList();
        if (summary.Count == 1)
            Line($"/// <summary>{summary[0]}</summary>");
        else
            Block("summary", summary);
        if (comment.Remarks.Count > 0)
            Block("remarks", [.. Framed("code", comment.Remarks.Select(Escape))]);
        return this;
    }

    private void Block(string element, List<string> lines)
    {
        foreach (var line in Framed(element, lines))
            Line($"/// {line}".TrimEnd());
    }

    private static IEnumerable<string> Framed(string element, IEnumerable<string> lines) =>
        lines.Prepend($"<{element}>").Append($"</{element}>");

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}
