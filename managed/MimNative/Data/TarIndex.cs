using Microsoft.Win32.SafeHandles;

namespace MimNative.Data;

/// <summary>The pictures of an archive, in its order, and sentences about what a reader should know.</summary>
internal readonly record struct TarContents(TarEntry[] Pictures, string[] Warnings);

/// <summary>Chooses the pictures among an archive's members: files, and links to files, with names of pictures.</summary>
internal static class TarIndex
{
    public static TarContents Read(SafeFileHandle file, string path)
    {
        var findings = new TarFindings(path);
        var members = new TarWalker(new TarBlocks(file, path), findings).Walk();
        // every member is kept for this: a link may come first, and lead to a file that does not look like a picture
        bool isAnyLinked = members.Exists(member => member.Link != TarLink.None && ImageNames.IsImage(member.Name));
        var links = isAnyLinked ? new TarLinks(members) : null;
        var pictures = new List<TarEntry>();
        foreach (var member in members)
        {
            if (ImageNames.IsImage(member.Name) &&
                Picture(member, links, findings) is { } picture && findings.Accepts(picture))
            {
                pictures.Add(picture);
            }
            links?.Pass(member);
        }
        return new TarContents([.. pictures], [.. findings.Sentences()]);
    }

    private static TarEntry? Picture(TarMember member, TarLinks? links, TarFindings findings)
    {
        if (member.Link == TarLink.None)
        {
            return member.Entry;
        }
        if (links!.Follow(member, out string why) is { } file)
        {
            return file with { Name = member.Name };
        }
        findings.AddLost(member, why);
        return null;
    }
}
