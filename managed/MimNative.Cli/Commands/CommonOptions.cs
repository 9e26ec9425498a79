using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    public static Option<string> Device() => new("--device")
    {
        Description = "where to compute: cpu, cuda or cuda:N",
        DefaultValueFactory = _ => "cpu",
    };

    public static Option<int> Threads() =>
        Whole<int>("--threads", "CPU threads of an operation; 0 for one per processor", 0, 4096, otherwise: 0);

    /// <summary>Its value is a setting's, and judged as one.</summary>
    public static Option<string> Precision() => new("--precision")
    {
        Description = "short for --set train.precision=: auto, f32 or bf16",
    };

    public static Option<bool> Json() => new("--json") { Description = "print JSON, for programs" };

    /// <summary>A whole number in a range.</summary>
    /// <param name="name">The option.</param>
    /// <param name="description">What it is, for --help.</param>
    /// <param name="least">The smallest that is accepted.</param>
    /// <param name="most">The largest that is accepted.</param>
    /// <param name="otherwise">What it is where it is not given.</param>
    public static Option<T> Whole<T>(string name, string description, T least, T most, T otherwise)
        where T : struct, System.Numerics.IBinaryInteger<T> =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => otherwise,
            CustomParser = result =>
            {
                var text = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
                if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) &&
                    value >= least && value <= most)
                {
                    return value;
                }
                result.AddError($"{name} is '{text}', expected a whole number from {least} to {most}");
                return otherwise;
            },
        };

    /// <summary>Pictures that a command looks at.</summary>
    public static Option<string[]> Images() => new("--images")
    {
        Description = "pictures: JPEG, PNG or WebP",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>One of a few words; the first where it is not given.</summary>
    public static Option<T> Choice<T>(string name, string description, params (string Word, T Value)[] choices) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => choices[0].Value,
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            foreach (var (word, value) in choices)
            {
                if (word == text)
                {
                    return value;
                }
            }
            result.AddError($"{name} is '{text}', expected {string.Join(" or ", choices.Select(c => c.Word))}");
            return choices[0].Value;
        },
    };

    /// <summary>Numbers in a range, separated by commas, each once.</summary>
    public static double[] Numbers(ArgumentResult result, string name, string what, double least, double most, int count)
    {
        var text = string.Join(',', result.Tokens.Select(t => t.Value));
        double?[] numbers =
        [
            .. text.Split(',').Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) &&
                value >= least && value <= most ? value : (double?)null),
        ];
        if (numbers.Length <= count && numbers.All(n => n is not null) && numbers.Distinct().Count() == numbers.Length)
        {
            return [.. numbers.Select(n => n!.Value)];
        }
        result.AddError(string.Create(
            CultureInfo.InvariantCulture,
            $"{name} is '{text}', expected 1 to {count} different {what} from {least} to {most:0}, separated by commas"));
        return [];
    }

    /// <summary>The context that --device and --threads ask for.</summary>
    public static Context Open(ParseResult parsed, Option<string> device, Option<int> threads) =>
        new(Runtime.Device.Parse(parsed.GetValue(device)!), parsed.GetValue(threads));

    /// <summary>The setting that a short option stands for; nothing where it is not given.</summary>
    public static string[] Short<T>(string key, Option<T> option, ParseResult parsed) =>
        parsed.GetResult(option) is { Implicit: false }
            ? [string.Create(CultureInfo.InvariantCulture, $"{key}={parsed.GetValue(option)}")]
            : [];
}
