using System.CommandLine;
using System.Runtime.InteropServices;
using MimNative.Cli.Terminal;
using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary><c>mim doctor</c>: which native library is loaded, what it runs on, and why not otherwise.</summary>
internal static class DoctorCommand
{
    public static Command Create(Shell shell)
    {
        var json = CommonOptions.Json();
        var command = new Command("doctor", "Tells which native library and devices are in use, and what was tried.") { json };
        command.SetAction(parsed =>
        {
            var library = Try(() =>
            {
                NativeLibraryLoader.Load();
                return NativeLibraryLoader.Describe();
            });
            var cpu = library.Error is null ? Describe(Device.Cpu) : new Finding(null, "the native library is not loaded");
            var cuda = library.Error is null
                ? Describe(new Device(DeviceKind.Cuda))
                : new Finding(null, "the native library is not loaded");
            if (parsed.GetValue(json))
            {
                JsonOutput.Print(shell, writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("runtime", RuntimeInformation.FrameworkDescription);
                    writer.WriteString("system", $"{RuntimeInformation.OSDescription} ({RuntimeInformation.RuntimeIdentifier})");
                    foreach (var (name, finding) in new[] { ("library", library), ("cpu", cpu), ("cuda", cuda) })
                    {
                        writer.WriteStartObject(name);
                        writer.WriteBoolean("available", finding.Error is null);
                        writer.WriteString("text", finding.Text ?? finding.Error);
                        writer.WriteEndObject();
                    }
                    writer.WriteEndObject();
                });
            }
            else
            {
                shell.Output.WriteLine($"runtime   {RuntimeInformation.FrameworkDescription}");
                shell.Output.WriteLine($"system    {RuntimeInformation.OSDescription} ({RuntimeInformation.RuntimeIdentifier})");
                shell.Output.WriteLine($"library\n{library.Text ?? library.Error}");
                shell.Output.WriteLine($"cpu       {cpu.Text ?? "not available: " + cpu.Error}");
                shell.Output.WriteLine($"cuda      {cuda.Text ?? "not available: " + cuda.Error}");
            }
            return library.Error is null && cpu.Error is null ? ExitCode.Ok : ExitCode.Unavailable;
        });
        return command;
    }

    private static Finding Describe(Device device) => Try(() =>
    {
        using var context = new Context(device);
        return context.Description;
    });

    private static Finding Try(Func<string> look)
    {
        try
        {
            return new Finding(look(), null);
        }
        catch (Exception e) when (e is MimException or DllNotFoundException or InvalidOperationException)
        {
            return new Finding(null, e.Message);
        }
    }

    private sealed record Finding(string? Text, string? Error);
}
