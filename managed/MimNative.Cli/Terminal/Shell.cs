using Spectre.Console;
using Spectre.Console.Rendering;

namespace MimNative.Cli.Terminal;

/// <summary>
/// What a command was started from: where its words go, whether somebody watches them, and what may stop it. Commands know no other
/// output, so several can run in one process.
/// </summary>
/// <param name="output">What the command found, for people or programs.</param>
/// <param name="error">What went wrong, and what should not come between the output's lines.</param>
/// <param name="stop">Asks the command to end early, as Ctrl-C does.</param>
internal sealed class Shell(TextWriter output, TextWriter error, CancellationToken stop = default)
{
    private readonly Lazy<IAnsiConsole> _console =
        new(() => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }));

    /// <summary>The standard streams of this process.</summary>
    public static Shell OfProcess() => new(Console.Out, Console.Error)
    {
        ShowsOutput = !Console.IsOutputRedirected,
        ShowsError = !Console.IsErrorRedirected,
    };

    public TextWriter Output => output;

    public TextWriter Error => error;

    public CancellationToken Stop => stop;

    /// <summary>Whether the output is a terminal, where a line can be rewritten; otherwise a file or a pipe.</summary>
    public bool ShowsOutput { get; init; }

    /// <summary>Whether <see cref="Error"/> is a terminal.</summary>
    public bool ShowsError { get; init; }

    /// <summary>Characters of a line of the terminal.</summary>
    public int Width => _console.Value.Profile.Width;

    /// <summary>Draws something on the output.</summary>
    /// <param name="drawing">What to draw.</param>
    /// <param name="width">Characters of a line; null for the terminal's own.</param>
    public void Draw(IRenderable drawing, int? width = null)
    {
        if (width is { } characters)
        {
            _console.Value.Profile.Width = characters;
        }
        _console.Value.Write(drawing);
    }
}
