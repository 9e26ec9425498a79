using MimNative.Interop;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Interop;

/// <summary>A status other than MIM_OK becomes an exception that carries the library's sentence.</summary>
public sealed unsafe class MimExceptionTests
{
    [OneTimeSetUp]
    public void LoadLibrary() => NativeLibraryLoader.Load();

    [Test]
    public void A_failed_call_throws_with_the_functions_name()
    {
        var error = Assert.Throws<MimException>(() => Mim.mim_fill(null, null, 0))!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(error.Status, Is.EqualTo(MimStatus.InvalidArgument));
            Assert.That(error.Message, Does.StartWith("mim_fill: "));
        }
    }

    [Test]
    public void Each_thread_has_its_own_message()
    {
        string? other = null;
        Assert.Throws<MimException>(() => Mim.mim_fill(null, null, 0));
        var thread = new Thread(() => other = Assert.Catch(() => Mim.mim_copy(null, null, null))!.Message);
        thread.Start();
        thread.Join();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(other, Does.StartWith("mim_copy: "));
            Assert.That(new string((sbyte*)Mim.mim_last_error()), Does.StartWith("mim_fill: "));
        }
    }

    [Test]
    public void Every_native_status_has_a_managed_one()
    {
        var native = Enum.GetValues<mim_status>().Select(status => (int)status);
        Assert.That(Enum.GetValues<MimStatus>().Select(status => (int)status), Is.EqualTo(native));
    }

    [Test]
    public void A_good_call_does_not_throw()
    {
        mim_context* context;
        var settings = new mim_context_params { size = sizeof(mim_context_params), threads = 1 };
        Mim.mim_context_create(&context, &settings);
        try
        {
            var info = new mim_context_info { size = sizeof(mim_context_info) };
            Mim.mim_context_get_info(context, &info);
            Assert.That(info.threads, Is.EqualTo(1));
        }
        finally
        {
            Mim.mim_context_destroy(context);
        }
    }
}
