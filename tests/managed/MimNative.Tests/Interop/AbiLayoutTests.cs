using System.Text;
using MimNative.Interop;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Interop;

/// <summary>The structs of the bindings lie in memory as the library's do, field by field.</summary>
public sealed unsafe class AbiLayoutTests
{
    [OneTimeSetUp]
    public void LoadLibrary() => NativeLibraryLoader.Load();

    public static IEnumerable<string> StructNames => AbiLayout.Structs().Select(item => item.Name);

    [TestCaseSource(nameof(StructNames))]
    public void Size_and_every_offset_agree(string name)
    {
        var own = AbiLayout.Structs().Single(item => item.Name == name);
        var native = NativeLayout(name);
        Assert.That(native, Is.Not.Empty, $"the library does not know {name}");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(own.Size, Is.EqualTo(native[0]), "size");
            Assert.That(own.Fields, Has.Length.EqualTo(native.Length - 1), "number of fields");
            foreach (var (field, (offset, expected)) in own.Fields.Zip(own.Offsets.Zip(native.Skip(1))))
                Assert.That(offset, Is.EqualTo(expected), $"offset of {field}");
        }
    }

    [Test]
    public void Hashes_agree() => Assert.That(AbiLayout.Hash(), Is.EqualTo(Mim.mim_abi_layout_hash()));

    [Test]
    public void Versions_agree() => Assert.That(Mim.mim_abi_version(), Is.EqualTo(Mim.MIM_ABI_VERSION));

    [Test]
    public void A_library_of_another_version_is_refused() => Assert.That(
        AbiHandshake.Difference(Mim.MIM_ABI_VERSION + 7, AbiLayout.Hash(), NativeLayout),
        Is.EqualTo($"its ABI has version {Mim.MIM_ABI_VERSION + 7}, these bindings are for version {Mim.MIM_ABI_VERSION}"));

    [Test]
    public void A_moved_field_is_named()
    {
        long[] Moved(string name)
        {
            var values = NativeLayout(name);
            if (name == nameof(mim_segment))
                values[2] += 4; // count follows offset
            return values;
        }
        Assert.That(AbiHandshake.Difference(Mim.MIM_ABI_VERSION, 1, Moved),
            Does.Contain("mim_segment.count is at byte 12 there and 8 here").And.Contain("0000000000000001"));
    }

    [Test]
    public void A_missing_struct_is_named() => Assert.That(
        AbiHandshake.Difference(Mim.MIM_ABI_VERSION, 1, name => name == nameof(mim_box) ? null : NativeLayout(name)),
        Does.Contain("it does not know mim_box"));

    [Test]
    public void The_layout_of_an_unknown_struct_is_empty() => Assert.That(NativeLayout("mim_nothing"), Is.Empty);

    private static long[] NativeLayout(string name)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
        {
            var values = new long[Mim.mim_abi_struct_layout(text, null, 0)];
            fixed (long* start = values)
                Mim.mim_abi_struct_layout(text, start, values.Length);
            return values;
        }
    }
}
