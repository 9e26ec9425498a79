using Spectre.Console;

namespace MimNative.Cli.Terminal;

/// <summary>Tables: drawn in a terminal, tab-separated lines elsewhere.</summary>
internal static class Tables
{
    public static Table New(params string[] columns)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in columns)
        {
            table.AddColumn(Markup.Escape(column));
        }
        return table;
    }

    public static void Print(Shell shell, Table table)
    {
        if (shell.ShowsOutput)
        {
            shell.Draw(table);
            return;
        }
        // A pipe has no width to wrap at.
        shell.Draw(table.Border(TableBorder.None).Collapse(), width: 4000);
    }
}
