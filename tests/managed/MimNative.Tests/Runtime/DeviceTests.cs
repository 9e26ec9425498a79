using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Runtime;

public sealed class DeviceTests
{
    [TestCase("cpu", DeviceKind.Cpu, 0, "cpu")]
    [TestCase("cuda", DeviceKind.Cuda, 0, "cuda:0")]
    [TestCase("cuda:3", DeviceKind.Cuda, 3, "cuda:3")]
    public void A_device_is_read_from_its_name(string text, DeviceKind kind, int index, string name)
    {
        var device = Device.Parse(text);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(device, Is.EqualTo(new Device(kind, index)));
            Assert.That(device.ToString(), Is.EqualTo(name));
        }
    }

    [TestCase("")]
    [TestCase("gpu")]
    [TestCase("CPU")]
    [TestCase("cpu:0")]
    [TestCase("cuda:")]
    [TestCase("cuda:-1")]
    [TestCase("cuda:x")]
    [TestCase("cuda:1:2")]
    [TestCase("cuda:99999999999")]
    public void Anything_else_is_an_error_that_says_what_is_known(string text) => Assert.That(
        () => Device.Parse(text),
        Throws.TypeOf<FormatException>().With.Message.EqualTo($"device is '{text}', expected cpu, cuda or cuda:N"));
}
