using System.CommandLine;
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

    /// <summary>The context that --device and --threads ask for.</summary>
    public static Context Open(ParseResult parsed, Option<string> device, Option<int> threads) =>
        new(Runtime.Device.Parse(parsed.GetValue(device)!), parsed.GetValue(threads));

    /// <summary>The setting that a short option stands for; nothing where it is not given.</summary>
    public static string[] Short<T>(string key, Option<T> option, ParseResult parsed) =>
        parsed.GetResult(option) is { Implicit: false }
            ? [string.Create(CultureInfo.InvariantCulture, $"{key}={parsed.GetValue(option)}")]
            : [];
}
