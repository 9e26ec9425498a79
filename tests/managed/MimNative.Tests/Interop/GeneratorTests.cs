using MimNative.Bindings;
using NUnit.Framework;

namespace MimNative.Tests.Interop;

/// <summary>How the generator reads headers: comments into documentation, C types into C# types.</summary>
public sealed class GeneratorTests
{
    private const string Text = """
        /* What the file is about. */
        #define MIM_ROWS 3

        /* y = x < 2, on every row
         * of a view.
         *
         *   x  (N)  f32                     */
        void mim_op_forward(void);
        void mim_op_backward(void);
        int size; /* sizeof(it) */
        int order; /* one line,
                      and its second */
        int bare;
        """;

    [Test]
    public void The_comment_that_ends_above_a_declaration_is_its_own()
    {
        var comment = new HeaderText(Text).Above(8)!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(comment.Summary, Is.EqualTo(new[] { "y = x < 2, on every row", "of a view." }));
            Assert.That(comment.Remarks, Is.EqualTo(new[] { "  x  (N)  f32" }));
        }
    }

    [Test]
    public void The_comment_behind_a_neighbour_is_not() => Assert.That(new HeaderText(Text).Above(13), Is.Null);

    [Test]
    public void A_comment_beside_a_field_may_go_on_below() =>
        Assert.That(new HeaderText(Text).Beside(11)!.Summary, Is.EqualTo(new[] { "one line,", "and its second" }));

    [Test]
    public void Backward_shares_the_comment_of_forward()
    {
        var header = new Header("native/include/mim/op.h", null);
        header.Add(Function("mim_op_forward", 8), new HeaderText(Text));
        header.Add(Function("mim_op_backward", 9), new HeaderText(Text));
        Assert.That(header.Functions[1].Comment, Is.Not.Null.And.EqualTo(header.Functions[0].Comment));
    }

    [Test]
    public void Documentation_is_escaped()
    {
        var code = new CodeText().Documentation(new HeaderText(Text).Above(8)).ToString();
        Assert.That(code, Is.EqualTo("""
            /// <summary>
            /// y = x &lt; 2, on every row
            /// of a view.
            /// </summary>
            /// <remarks>
            /// <code>
            ///   x  (N)  f32
            /// </code>
            /// </remarks>

            """.ReplaceLineEndings("\n")));
    }

    [TestCase("int64_t", "long")]
    [TestCase("const char *", "byte*")]
    [TestCase("const void *", "void*")]
    [TestCase("struct mim_context **", "mim_context**")]
    public void A_type_of_fixed_width_has_a_counterpart(string type, string expected) =>
        Assert.That(CType.ToCSharp(type, Function("mim_op", 8)), Is.EqualTo(expected));

    [TestCase("long")]
    [TestCase("size_t")]
    [TestCase("unsigned int")]
    [TestCase("void (*)(int)")]
    public void Any_other_type_is_refused_by_name(string type) => Assert.That(
        () => CType.ToCSharp(type, Function("mim_op", 8)),
        Throws.TypeOf<GeneratorException>().With.Message.Contains($"op.h:8: mim_op has the C type '{type}'"));

    private static Node Function(string name, int line) =>
        new("FunctionDecl", name, "native/include/mim/op.h", line, "void (void)", "", false, []);
}
