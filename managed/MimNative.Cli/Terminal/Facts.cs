namespace MimNative.Cli.Terminal;

/// <summary>Facts for people: a short name and what there is to say, in lines of at most 80 characters.</summary>
internal static class Facts
{
    private const int Width = 80, Indent = 11;

    /// <summary>The lines of a fact. A word that is longer than a line, a path for example, is not broken.</summary>
    public static IEnumerable<string> Lines(string name, string text)
    {
        var line = name.PadRight(Indent);
        var isEmpty = true;
        foreach (var word in text.Split(' '))
        {
            if (!isEmpty && line.Length + 1 + word.Length > Width)
            {
                yield return line;
                (line, isEmpty) = (new string(' ', Indent), true);
            }
            line += isEmpty ? word : " " + word;
            isEmpty = false;
        }
        yield return line;
    }
}
