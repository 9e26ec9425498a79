using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class BracesTests
{
    [TestCase("plain", "plain")]
    [TestCase("{000..003}.tar", "000.tar 001.tar 002.tar 003.tar")]
    [TestCase("{8..11}", "8 9 10 11")]
    [TestCase("{08..11..2}", "08 10")]
    [TestCase("{2..0}", "2 1 0")]
    [TestCase("{a..c}", "a b c")]
    [TestCase("{-1..1}", "-1 0 1")]
    [TestCase("{a,b}-{x,y}", "a-x a-y b-x b-y")]
    [TestCase("{a,{b,c}d}{,e}", "a ae bd bde cd cde")]
    [TestCase("{{0..1},x}", "0 x 1 x")]
    [TestCase("{0..1}{,.jpg}", "0 0.jpg 1 1.jpg")]
    [TestCase("{a}{}{b", "{a}{}{b")]
    [TestCase("{x}{a,b}", "{x}a {x}b")]
    [TestCase("{1..a} {1,2", "{1..a} {1,2")]
    public void Braces_stand_for_what_they_stand_for_in_a_shell(string pattern, string expected)
    {
        var members = Braces.Expand(pattern);
        Assert.That(string.Join(' ', members.SelectMany(member => member)), Is.EqualTo(expected));
    }

    [TestCase("{0..999999999}")]
    [TestCase("{0..9999}{0..9999}")]
    [TestCase("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}")]
    public void Too_many_names_are_refused(string pattern) =>
        Assert.That(() => Braces.Expand(pattern), Throws.TypeOf<InvalidDataException>().With.Message.Contains("1,000,000"));
}
