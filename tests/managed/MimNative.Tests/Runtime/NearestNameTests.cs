using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Runtime;

public sealed class NearestNameTests
{
    [TestCase("bacth", "batch")]
    [TestCase("Batch", "batch")]
    [TestCase("epoch", "epochs")]
    [TestCase("warmup", null)]
    [TestCase("", null)]
    public void Only_a_near_name_is_offered(string name, string? expected) =>
        Assert.That(NearestName.Of(name, ["epochs", "batch", "a"]), Is.EqualTo(expected));
}
