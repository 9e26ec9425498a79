using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>
/// Finds and loads libmim, once, at the first call that needs it, and refuses one whose ABI is not that of this assembly.
/// <para>
/// Where <see cref="EnvironmentVariable"/> is set, only the file or folder it names is tried; else, where
/// <see cref="SearchDirectory"/> is set, only that folder. Otherwise: the application's folder, its
/// runtimes/(platform)/native, build/release/native of the source tree around it, and the system's own search.
/// The first of these files that is there is the library: one that does not load or fit is an error, and no other is taken
/// instead.
/// </para>
/// </summary>
public static class NativeLibraryLoader
{
    /// <summary>The environment variable that names the library or its folder.</summary>
    public const string EnvironmentVariable = "MIM_LIBRARY";

    private static readonly Lock Gate = new();
    private static nint _library;
    private static string? _searchDirectory;
    private static NativeLibraryAttempt[] _attempts = [];

    /// <summary>The only folder to look in, if not null. To be set before the first use of the library.</summary>
    /// <exception cref="InvalidOperationException">The library has been loaded already.</exception>
    public static string? SearchDirectory
    {
        get => _searchDirectory;
        set
        {
            lock (Gate)
            {
                if (_library != 0)
                    throw new InvalidOperationException(
                        $"SearchDirectory must be set before the first use of the native library; '{_attempts[^1].Path}' is "
                        + "loaded already.");
                _searchDirectory = value;
            }
        }
    }

    /// <summary>What the latest search tried, in order; the last one is the library in use, if one was found.</summary>
    public static IReadOnlyList<NativeLibraryAttempt> Attempts => Volatile.Read(ref _attempts);

    /// <summary>Loads the library now instead of at the first call. Does nothing where it is loaded already.</summary>
    /// <exception cref="DllNotFoundException">No library that fits was found; the message lists every attempt.</exception>
    public static void Load() => LoadOnce();

    /// <summary>
    /// Loads the library, if it can be, and tells in lines for people what was tried and what came of it. Never throws.
    /// </summary>
    public static string Describe()
    {
        try
        {
            LoadOnce();
            return NativeLibrarySearch.Lines(Attempts);
        }
        catch (DllNotFoundException error)
        {
            return error.Message;
        }
    }

    private static nint LoadOnce()
    {
        lock (Gate)
        {
            if (_library == 0)
            {
                WaitPolicy.SleepByDefault();
                var places = NativeLibrarySearch.Places(
                    Environment.GetEnvironmentVariable(EnvironmentVariable), _searchDirectory, AppContext.BaseDirectory);
                _library = NativeLibrarySearch.Load(places, out _attempts);
                if (_library == 0)
                    throw new DllNotFoundException(NativeLibrarySearch.FailureMessage(_attempts));
            }
            return _library;
        }
    }

    // Every call into the bindings comes through this assembly, so this runs before the first of them.
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "a resolver must stand before the first import is bound")]
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(Mim).Assembly, Resolve);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Mim.Library ? LoadOnce() : 0;
}
