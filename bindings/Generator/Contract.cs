using System.Globalization;
using System.Text.RegularExpressions;

namespace MimNative.Bindings;

internal sealed record Parameter(string Name, string Type);

internal sealed record Function(string Name, string ReturnType, List<Parameter> Parameters, Comment? Comment);

/// <param name="Length">Elements of an array; 0 for a single value.</param>
internal sealed record Field(string Name, string Type, int Length, Comment? Comment);

/// <param name="Fields">None for an opaque handle.</param>
internal sealed record Struct(string Name, List<Field> Fields, Comment? Comment);

internal sealed record EnumMember(string Name, long Value, Comment? Comment);

internal sealed record EnumType(string Name, List<EnumMember> Members, Comment? Comment);

internal sealed record Constant(string Name, long Value, Comment? Comment);

/// <param name="Path">Below the repository, with forward slashes.</param>
internal sealed record Header(string Path, Comment? Comment)
{
    public List<Constant> Constants { get; } = [];
    public List<EnumType> Enums { get; } = [];
    public List<Struct> Structs { get; } = [];
    public List<Function> Functions { get; } = [];
}

/// <summary>What the headers declare, in their order; the types are C# types already.</summary>
internal sealed partial record Contract(List<Header> Headers)
{
    /// <summary>Structs with fields, in the order that the layout hash goes through them.</summary>
    public IEnumerable<Struct> Structs => Headers.SelectMany(header => header.Structs).Where(item => item.Fields.Count > 0);

    public IEnumerable<Function> Functions => Headers.SelectMany(header => header.Functions);

    public static Contract Read(Node tree, string root, string folder)
    {
        var contract = new Contract([]);
        var texts = new Dictionary<string, HeaderText>();
        foreach (var node in tree.Children)
        {
            var path = node.File.Replace('\\', '/');
            if (!path.StartsWith(folder + "/", StringComparison.Ordinal))
                continue;
            if (!texts.TryGetValue(path, out var text))
            {
                texts[path] = text = new HeaderText(File.ReadAllText(Path.Combine(root, path)));
                var opened = new Header(path, text.Opening());
                opened.Constants.AddRange(Constants(text));
                contract.Headers.Add(opened);
            }
            contract.Headers.Single(header => header.Path == path).Add(node, text);
        }
        return contract;
    }

    private static IEnumerable<Constant> Constants(HeaderText text)
    {
        for (var line = 1; line <= text.Count; line++)
            if (IntegerConstant().Match(text[line]) is { Success: true } match)
                yield return new Constant(match.Groups[1].Value,
                    long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), text.Above(line));
    }

    [GeneratedRegex(@"^#define\s+(MIM_\w+)\s+(\d+)\s*(/\*.*)?$")]
    private static partial Regex IntegerConstant();
}

internal static class Declarations
{
    /// <summary>Adds one declaration of a header. Typedefs add nothing: they repeat the names of structs and enums.</summary>
    public static void Add(this Header header, Node node, HeaderText text)
    {
        switch (node.Kind)
        {
            case "FunctionDecl":
                header.Functions.Add(new Function(node.Name, CType.ToCSharp(node.Type[..node.Type.IndexOf('(')], node),
                    node.OfKind("ParmVarDecl").Select(parameter =>
                        new Parameter(parameter.Name, CType.ToCSharp(parameter.Type, parameter))).ToList(),
                    text.Above(node.Line) ?? header.CommentOfForward(node.Name)));
                break;
            case "RecordDecl":
                header.Structs.Add(new Struct(node.Name,
                    node.OfKind("FieldDecl").Select(field => ReadField(field, text)).ToList(), text.Above(node.Line)));
                break;
            case "EnumDecl":
                header.Enums.Add(ReadEnum(node, text));
                break;
        }
    }

    /// <summary>Forward and backward share one comment, which stands above forward.</summary>
    private static Comment? CommentOfForward(this Header header, string name)
    {
        const string backward = "_backward";
        return name.EndsWith(backward, StringComparison.Ordinal)
            ? header.Functions.Find(other => other.Name == name[..^backward.Length] + "_forward")?.Comment : null;
    }

    private static Field ReadField(Node node, HeaderText text)
    {
        var (type, length) = CType.SplitArray(node.Type);
        return new Field(node.Name, CType.ToCSharp(type, node), length, text.Beside(node.Line));
    }

    private static EnumType ReadEnum(Node node, HeaderText text)
    {
        List<EnumMember> members = [];
        var next = 0L;
        foreach (var member in node.OfKind("EnumConstantDecl"))
        {
            if (member.OfKind("ConstantExpr").FirstOrDefault() is { } constant)
                next = long.Parse(constant.Value, CultureInfo.InvariantCulture);
            members.Add(new EnumMember(member.Name, next++, text.Beside(member.Line)));
        }
        return new EnumType(node.Name, members, text.Above(node.Line));
    }
}
