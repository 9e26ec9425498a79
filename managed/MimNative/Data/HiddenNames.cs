using System.Collections.Frozen;

namespace MimNative.Data;

/// <summary>
/// Names of files and folders that people do not see as theirs: those that begin with a dot (.thumbnails, .Trash-1000, .AppleDouble,
/// .git, ...), and those in which file servers and systems keep previews, snapshots and what was deleted.
/// </summary>
internal static class HiddenNames
{
    private static readonly FrozenSet<string> OfServersAndSystems = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "@eaDir", "@tmp", "#recycle", "#snapshot", "@SynoResource",               // Synology
        "@Recycle", "@Recently-Snapshot", "@__thumb",                             // QNAP
        "~snapshot",                                                              // NetApp
        "$RECYCLE.BIN", "RECYCLER", "System Volume Information",                  // Windows
        "__MACOSX", "Network Trash Folder", "Temporary Items", "TheVolumeSettingsFolder",  // macOS and its file servers
        "lost+found");                                                            // Linux

    public static bool Contains(string name) => name.StartsWith('.') || OfServersAndSystems.Contains(name);
}
