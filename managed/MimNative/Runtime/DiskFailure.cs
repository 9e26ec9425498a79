namespace MimNative.Runtime;

/// <summary>Says in plain words why the operating system refused to write.</summary>
internal static class DiskFailure
{
    // .NET keeps the errno in HResult on Unix and a Windows error code on Windows
    private const int UnixNoSpace = 28, LinuxQuota = 122, MacQuota = 69;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>True for the two exceptions with which .NET reports a failing file operation.</summary>
    public static bool Is(Exception exception) =>
        exception is IOException or UnauthorizedAccessException;

    /// <summary>Half a sentence: what is wrong with the place that was to be written.</summary>
    public static string Reason(Exception exception) => exception switch
    {
        { HResult: UnixNoSpace or WindowsDiskFull or WindowsHandleDiskFull } => "the disk is full",
        { HResult: LinuxQuota } when OperatingSystem.IsLinux() => "the disk quota is used up",
        { HResult: MacQuota } when OperatingSystem.IsMacOS() => "the disk quota is used up",
        UnauthorizedAccessException => "there is no permission to write there",
        _ => exception.Message.TrimEnd('.'),
    };
}
