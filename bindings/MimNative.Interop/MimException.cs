namespace MimNative;

/// <summary>Why a call into the native library failed. The values are those of mim_status.</summary>
public enum MimStatus
{
    /// <summary>The call succeeded; no exception carries this.</summary>
    Ok = 0,

    /// <summary>A null, a shape, an element type, a device, an alignment or a setting is wrong.</summary>
    InvalidArgument = 1,

    /// <summary>An allocation failed; nothing was changed.</summary>
    OutOfMemory = 2,

    /// <summary>A valid request that this backend or processor cannot serve.</summary>
    Unsupported = 3,

    /// <summary>The device that was asked for cannot be had.</summary>
    DeviceUnavailable = 4,

    /// <summary>An image that cannot be decoded.</summary>
    CorruptData = 5,

    /// <summary>A defect of the native library or of one that it stands on.</summary>
    Internal = 6,
}

/// <summary>
/// A failed call into the native library. The message is one sentence that begins with the function's name and says which
/// argument was wrong, what was expected and what came.
/// </summary>
public sealed class MimException : Exception
{
    /// <summary>An internal error without a message.</summary>
    public MimException() : this(MimStatus.Internal, "the native library failed without a message") { }

    /// <summary>An internal error.</summary>
    public MimException(string message) : this(MimStatus.Internal, message) { }

    /// <summary>An internal error with its cause.</summary>
    public MimException(string message, Exception innerException) : base(message, innerException) =>
        Status = MimStatus.Internal;

    /// <summary>An error of a given kind.</summary>
    public MimException(MimStatus status, string message) : base(message) => Status = status;

    /// <summary>The kind of failure.</summary>
    public MimStatus Status { get; }
}
