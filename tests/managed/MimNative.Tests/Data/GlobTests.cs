using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class GlobTests
{
    [TestCase("*.jpg", "a.jpg .jpg x.y.jpg", "a.jpeg a/b.jpg a.jpgx")]
    [TestCase("?.jpg", "a.jpg é.jpg 😀.jpg", "ab.jpg .jpg")]
    [TestCase("[a-c][!0-9].jpg", "ax.jpg", "dx.jpg a1.jpg a.jpg")]
    [TestCase("[]]x[^-]", "]xa", "]x- ax")]
    [TestCase("[a", "[a", "a")]
    [TestCase("a+(b).$", "a+(b).$", "aa(b).x")]
    [TestCase("**/*.jpg", "a.jpg b/a.jpg b/c/a.jpg", "a.png b/a.png")]
    [TestCase("a/**/b/*", "a/b/x a/c/b/x a/c/d/b/x", "a/x b/x a/c/x")]
    [TestCase("**", "a b/c", "")]
    [TestCase("20*", "2019 2019/a.jpg 2019/b/c.jpg", "1999/2019.jpg")]
    [TestCase("*/", "a/b a/b/c", "a")]
    [TestCase("*a*a*a*a*a*a*b", "aaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Pattern_matches_files_and_what_is_in_folders(string pattern, string matches, string others)
    {
        var glob = new Glob(pattern);
        Assert.That(matches.Split(' '), Has.All.Matches<string>(glob.Matches));
        Assert.That(others.Split(' ', StringSplitOptions.RemoveEmptyEntries), Has.None.Matches<string>(glob.Matches));
    }

    [Test]
    public void Range_that_runs_backwards_is_named() =>
        Assert.That(() => new Glob("a/[9-1].jpg"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("'[9-1].jpg' is no pattern"));

    [TestCase("*.jpg", "", "a a/b")]
    [TestCase("*/x/*.jpg", "|a|a/x", "a/y a/x/z")]
    [TestCase("**/*.jpg", "|a|a/b/c", "")]
    [TestCase("a*/**/b", "|a|ax/y/z", "b b/a")]
    public void Only_folders_that_may_hold_a_match_are_looked_into(string pattern, string folders, string others)
    {
        var glob = new Glob(pattern);
        Assert.That(folders.Split('|'), Has.All.Matches<string>(folder => glob.MayMatchBelow(folder)));
        Assert.That(others.Split(' ', StringSplitOptions.RemoveEmptyEntries), Has.None.Matches<string>(folder => glob.MayMatchBelow(folder)));
    }
}
