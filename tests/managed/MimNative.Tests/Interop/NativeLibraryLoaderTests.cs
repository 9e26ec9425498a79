using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Interop;

/// <summary>Where the library is looked for, and what is said when it is not there.</summary>
public sealed class NativeLibraryLoaderTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("mim-loader-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    private string File(params string[] path) => Path.Combine([_folder, .. path, NativeLibrarySearch.FileName]);

    [Test]
    public void The_application_comes_before_the_system() => Assert.That(Paths(null, null), Is.EqualTo(new[]
    {
        File(), File("runtimes", NativeLibrarySearch.Platform, "native"), NativeLibrarySearch.FileName,
    }));

    [Test]
    public void A_source_tree_above_the_application_is_searched()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "native", "include", "mim"));
        System.IO.File.WriteAllText(Path.Combine(_folder, "native", "include", "mim", "mim.h"), "");
        var application = Directory.CreateDirectory(Path.Combine(_folder, "a", "bin")).FullName;
        Assert.That(NativeLibrarySearch.Places(null, null, application).Select(place => place.Path),
            Does.Contain(File("build", "release", "native")));
    }

    [Test]
    public void The_search_directory_is_the_only_place() =>
        Assert.That(Paths(null, _folder), Is.EqualTo(new[] { File() }));

    [Test]
    public void The_variable_comes_before_the_search_directory() =>
        Assert.That(Paths(Path.Combine(_folder, "other.so"), _folder),
            Is.EqualTo(new[] { Path.Combine(_folder, "other.so") }));

    [Test]
    public void The_variable_may_name_a_folder() => Assert.That(Paths(_folder, null), Is.EqualTo(new[] { File() }));

    [Test]
    [Platform("Linux")]
    public void A_failure_lists_every_path_with_its_reason()
    {
        var library = NativeLibrarySearch.Load(
            [new(File(), "first"), new(File("below"), "second"), new("mim-of-no-system.so", "third")], out var attempts);
        var lines = NativeLibrarySearch.FailureMessage(attempts).Split('\n');
        using (Assert.EnterMultipleScope())
        {
            Assert.That(library, Is.EqualTo((nint)0));
            Assert.That(attempts, Has.All.Property(nameof(NativeLibraryAttempt.IsLoaded)).False);
            Assert.That(lines, Has.Length.EqualTo(5));
            Assert.That(lines[1], Is.EqualTo($"  {File()} (first): no such file"));
            Assert.That(lines[2], Is.EqualTo($"  {File("below")} (second): no such file"));
            Assert.That(lines[3], Does.StartWith("  mim-of-no-system.so (third): ").And.Contain("cannot open"));
            Assert.That(lines[4], Does.Contain(NativeLibraryLoader.EnvironmentVariable));
        }
    }

    [Test]
    [Platform("Linux")]
    public void A_file_that_does_not_load_ends_the_search_with_the_systems_reason()
    {
        System.IO.File.WriteAllText(File(), "not a library");
        var library = NativeLibrarySearch.Load([new(File(), "first"), new("libc.so.6", "second")], out var attempts);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(library, Is.EqualTo((nint)0));
            Assert.That(attempts.Single().Outcome, Is.EqualTo($"{File()}: file too short"));
        }
    }

    [Test]
    [Platform("Linux")]
    public void A_library_that_is_not_libmim_ends_the_search()
    {
        var library = NativeLibrarySearch.Load([new("libc.so.6", "first"), new(File(), "second")], out var attempts);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(library, Is.EqualTo((nint)0));
            Assert.That(attempts.Single().Outcome, Does.Contain("does not export mim_abi_version"));
        }
    }

    [Test]
    public void The_loaded_library_is_described()
    {
        NativeLibraryLoader.Load();
        var used = NativeLibraryLoader.Attempts[^1];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(used.IsLoaded);
            Assert.That(NativeLibraryLoader.Describe(), Does.EndWith($"{used.Path} ({used.Origin}): loaded"));
        }
    }

    [Test]
    public void The_search_directory_cannot_change_after_loading()
    {
        NativeLibraryLoader.Load();
        Assert.That(() => NativeLibraryLoader.SearchDirectory = _folder,
            Throws.InvalidOperationException.With.Message.Contains(NativeLibraryLoader.Attempts[^1].Path));
    }

    private string[] Paths(string? variable, string? searchDirectory) =>
        [.. NativeLibrarySearch.Places(variable, searchDirectory, _folder).Select(place => place.Path)];
}
