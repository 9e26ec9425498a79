using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MimNative.Cli.Terminal;
using MimNative.Evaluation.Verification;
using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary><c>mim verify FILE...</c>: rebuilds recorded cases and compares every number.</summary>
internal static class VerifyCommand
{
    public static Command Create(Shell shell)
    {
        var files = new Argument<string[]>("files")
        {
            Description = "safetensors files of recorded cases (the metadata's 'case' says what each is)",
            Arity = ArgumentArity.OneOrMore,
        };
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var brief = new Option<bool>("--brief") { Description = "one line a file instead of one a tensor" };
        var command = new Command("verify", "Checks this library against recorded numbers.") { files, device, threads, json, brief };
        command.SetAction(parsed =>
        {
            using var context = CommonOptions.Open(parsed, device, threads);
            var results = parsed.GetValue(files)!.Select(f => Verifier.Verify(f, context)).ToList();
            if (parsed.GetValue(json))
            {
                PrintJson(shell, results);
            }
            else
            {
                Print(shell, results, parsed.GetValue(brief));
            }
            var unreadable = results.Where(r => r.Problem is not null).ToList();
            unreadable.ForEach(r => Failure.Say(
                shell, r.Problem!.StartsWith(r.Path, StringComparison.Ordinal) ? r.Problem : $"{r.Path}: {r.Problem}"));
            return results.All(r => r.Passed) ? ExitCode.Ok
                : results.Count(r => !r.Passed) > unreadable.Count ? ExitCode.Failed
                : ExitCode.BadInput;
        });
        return command;
    }

    private static void Print(Shell shell, List<VerificationResult> results, bool brief)
    {
        foreach (var result in results)
        {
            var worst = result.Comparisons.Count == 0 ? "" : Worst(result);
            shell.Output.WriteLine($"{Mark(result.Passed)}  {result.Path}  [{result.Case}]  {result.Problem ?? worst}");
            foreach (var c in result.Comparisons.Where(c => !brief || !c.Passed))
            {
                shell.Output.WriteLine(
                    $"    {Mark(c.Passed)}  {c.Tensor}  {Number(c.Error)}  (tolerance {Number(c.Tolerance)}, {c.Measure})");
            }
        }
        shell.Output.WriteLine($"{results.Count(r => r.Passed)} of {results.Count} files pass");
    }

    private static string Worst(VerificationResult result)
    {
        var worst = result.Comparisons.MaxBy(c => double.IsNaN(c.Error) ? double.MaxValue : c.Error / Math.Max(c.Tolerance, 1e-30))!;
        return $"{result.Comparisons.Count} tensors, nearest to its tolerance: " +
            $"{worst.Tensor} {Number(worst.Error)} of {Number(worst.Tolerance)}";
    }

    private static string Mark(bool passed) => passed ? "ok  " : "FAIL";

    private static string Number(double value) => value.ToString("0.##E+0", CultureInfo.InvariantCulture);

    private static void PrintJson(Shell shell, List<VerificationResult> results) => JsonOutput.Print(shell, writer =>
    {
        writer.WriteStartArray();
        foreach (var result in results)
        {
            writer.WriteStartObject();
            writer.WriteString("file", result.Path);
            writer.WriteString("case", result.Case);
            writer.WriteBoolean("passed", result.Passed);
            writer.WriteString("problem", result.Problem);
            writer.WriteStartArray("tensors");
            foreach (var c in result.Comparisons)
            {
                writer.WriteStartObject();
                writer.WriteString("name", c.Tensor);
                writer.WriteString("measure", c.Measure);
                JsonOutput.WriteNumber(writer, "error", c.Error);
                JsonOutput.WriteNumber(writer, "tolerance", c.Tolerance);
                writer.WriteBoolean("passed", c.Passed);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });
}
