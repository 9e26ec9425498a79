using System.CommandLine;
using MimNative.Cli.Terminal;
using MimNative.Export;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary><c>mim export</c>: weights for other programs.</summary>
internal static class ExportCommand
{
    public static Command Create(Shell shell)
    {
        var run = new Option<string>("--run") { Description = "the run folder whose newest checkpoint is exported", Required = true };
        var to = new Option<string>("--to") { Description = "the safetensors file to write", Required = true };
        var everything = new Option<bool>("--full") { Description = "the decoder too: everything that the MAE reference has" };
        var command = new Command(
            "export", "Writes the encoder (timm's ViT names), or with --full everything (the MAE reference's names), as safetensors.")
        {
            run, to, everything,
        };
        command.SetAction(parsed =>
        {
            var folder = RunFolder.Open(parsed.GetValue(run)!);
            OutputFile.Prepare(parsed.GetValue(to)!);
            using var context = new Runtime.Context(Runtime.Device.Cpu);
            using var model = folder.LoadModel(context);
            var tensors = parsed.GetValue(everything) ? model.Tensors() : model.EncoderTensors();
            var written = tensors.ToList();
            SafetensorsWriter.Save(parsed.GetValue(to)!, written, new Dictionary<string, string>
            {
                ["format"] = "pt",
                ["recipe"] = folder.Recipe.Name,
                ["scope"] = parsed.GetValue(everything) ? "full" : "encoder",
            });
            shell.Output.WriteLine($"{parsed.GetValue(to)}: {written.Count} tensors of step {folder.Latest!.Step}");
            return ExitCode.Ok;
        });
        return command;
    }
}
