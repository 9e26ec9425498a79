using System.Runtime.InteropServices;
using MimNative.Interop;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Interop;

/// <summary>What the headers declare, the library exports.</summary>
public sealed class ExportTests
{
    [TestCaseSource(typeof(Mim), nameof(Mim.FunctionNames))]
    public void Every_declared_function_is_exported(string name)
    {
        NativeLibraryLoader.Load();
        var library = NativeLibrary.Load(NativeLibraryLoader.Attempts[^1].Path);
        try
        {
            Assert.That(NativeLibrary.TryGetExport(library, name, out _), $"{name} is declared but not exported");
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }
}
