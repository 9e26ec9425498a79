namespace MimNative.Cli;

/// <summary>Exit codes of the command; README.md lists them for users.</summary>
internal static class ExitCode
{
    /// <summary>All is well.</summary>
    public const int Ok = 0;

    /// <summary>The work was done and the answer is no: a number is out of tolerance, a check failed.</summary>
    public const int Failed = 1;

    /// <summary>The input is wrong: an option, a recipe, a file, a folder, a picture.</summary>
    public const int BadInput = 2;

    /// <summary>
    /// The machine lacks something: the native library, a device, memory, room on the disk, a place that can be written.
    /// </summary>
    public const int Unavailable = 3;

    /// <summary>Training came to a number that is not finite.</summary>
    public const int NotFinite = 5;

    /// <summary>A defect of the program; sysexits.h calls it EX_SOFTWARE.</summary>
    public const int Defect = 70;

    /// <summary>Stopped by Ctrl-C or SIGTERM, after saving what there was to save.</summary>
    public const int Stopped = 130;
}
