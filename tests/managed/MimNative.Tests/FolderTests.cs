using NUnit.Framework;

namespace MimNative.Tests;

/// <summary>Tests that write: each gets a new empty folder, removed with all it holds afterwards.</summary>
public abstract class FolderTests
{
    protected string Folder { get; private set; } = "";

    [SetUp]
    public void Create_folder() => Folder = Directory.CreateTempSubdirectory("mim-test-").FullName;

    [TearDown]
    public void Remove_folder() => Directory.Delete(Folder, recursive: true);

    /// <summary>The path of a file or folder in the test's folder.</summary>
    protected string At(string name) => Path.Combine(Folder, name);
}
