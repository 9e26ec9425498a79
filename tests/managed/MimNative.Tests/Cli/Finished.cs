using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>A command that has ended.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Output">What it wrote, without the end of the last line.</param>
/// <param name="Errors">What it wrote to standard error.</param>
internal sealed record Finished(int Code, string Output, string Errors)
{
    /// <summary>Requires success with nothing on standard error; returns the output.</summary>
    public string Succeeds()
    {
        Assert.That(Errors, Is.Empty);
        Assert.That(Code, Is.Zero, Output);
        return Output;
    }

    /// <summary>Requires an exit code and one sentence on standard error, on one line, with all of these in it.</summary>
    public void Fails(int code, params string[] named)
    {
        Assert.That(Errors, Does.StartWith("mim: ").And.EndWith("\n"), Output);
        Assert.That(Errors.TrimEnd('\n'), Does.Not.Contain("\n").And.Not.Contain("Exception"));
        foreach (var part in named)
        {
            Assert.That(Errors, Does.Contain(part));
        }
        Assert.That(Code, Is.EqualTo(code), Errors);
    }
}
