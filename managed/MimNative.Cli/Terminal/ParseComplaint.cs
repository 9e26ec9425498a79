using System.CommandLine;
using System.CommandLine.Parsing;
using MimNative.Runtime;

namespace MimNative.Cli.Terminal;

/// <summary>What is wrong with a command line, in one sentence; the first thing where there are several.</summary>
internal static class ParseComplaint
{
    /// <summary>The sentence; null where the command line can be carried out.</summary>
    public static string? About(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0)
        {
            return Empty(parsed.CommandResult);
        }
        var command = parsed.CommandResult.Command;
        if (parsed.UnmatchedTokens is [var unknown, ..])
        {
            return Unknown(unknown, command);
        }
        return command is RootCommand root
            ? $"a command is missing, expected one of {string.Join(", ", root.Subcommands.Select(c => c.Name))}; " +
              "'mim --help' tells more"
            : parsed.Errors[0].Message;
    }

    private static string Unknown(string token, Command command)
    {
        if (command is RootCommand)
        {
            return $"there is no command '{token}'{NearestName.Question(token, command.Subcommands.Select(c => c.Name))}";
        }
        return token.StartsWith('-')
            ? $"{command.Name} has no option '{token}'{NearestName.Question(token, command.Options.Select(o => o.Name))}"
            : $"{command.Name} does not take '{token}'; 'mim {command.Name} --help' tells what it takes";
    }

    // An empty value is a shell variable that is not set, never a wish.
    private static string? Empty(CommandResult command)
    {
        foreach (var given in command.Children.Where(g => g.Tokens.Any(t => string.IsNullOrWhiteSpace(t.Value))))
        {
            var name = given is OptionResult option ? option.Option.Name : ((ArgumentResult)given).Argument.Name;
            return $"{name} is empty, expected a value";
        }
        return null;
    }
}
