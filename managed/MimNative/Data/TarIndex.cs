using Microsoft.Win32.SafeHandles;

namespace MimNative.Data;

/// <summary>
/// Walks the headers of a tar archive, without reading the files between them, and finds the pictures: regular files,
/// sparse ones, and links to either. Folders and devices are passed over. Archives that were joined end to end are read
/// on. The archive must not be compressed.
/// </summary>
/// <remarks>
/// System.Formats.Tar is not used, because its reader ends with an exception at a sparse member, ends in silence at the
/// zero blocks between joined archives, and makes one name of two that differ in bytes that are no UTF-8. It also takes
/// several times as long for a large archive; the tests write their archives with it. An archive is a row of members:
/// a header, then the file's bytes, filled up to whole blocks. Two zero blocks end it; some writers leave them out.
/// </remarks>
internal sealed class TarIndex
{
    private readonly TarBlocks _archive;
    private readonly PaxRecords _pax;
    private readonly List<TarMember> _members = [];
    private readonly TarFindings _findings;
    private string? _longName;  // of GNU's records, for the member behind them
    private string? _longLink;
    private bool _isAwaited;  // something was said about the next member

    private TarIndex(TarBlocks archive)
    {
        (_archive, _pax, _findings) = (archive, new PaxRecords(archive), new TarFindings(archive.Path));
    }

    /// <summary>The pictures of an archive.</summary>
    public static TarContents Read(SafeFileHandle file, string path)
    {
        var index = new TarIndex(new TarBlocks(file, path));
        index.Walk();
        return index.Pictures();
    }

    private void Walk()
    {
        bool any = false, ended = false;  // a header was there; zero blocks were the last
        for (long at = 0; at < _archive.Length;)
        {
            var block = _archive.At(at);
            if (TarHeader.IsAt(block))
            {
                at = ReadMember(new TarHeader(block), at);
                (any, ended) = (true, false);
            }
            else if (TarBlocks.IsZero(block))
            {
                RequireMember(at);
                at = _archive.SkipZeros(at);
                ended = true;
            }
            else if (!any)
            {
                throw NoArchive(block, at);
            }
            else if (ended)
            {
                _findings.Behind = (at, _archive.Length - at);
                break;
            }
            else
            {
                throw block.Length == TarBlocks.Size ? NoHeader(at) : CutHeader(block, at);
            }
        }
        RequireMember(_archive.Length);
        _findings.IsEmpty = !any;
    }

    // Answers where the next header should be.
    private long ReadMember(TarHeader header, long at)
    {
        char type = header.Type;
        bool isRecord = type is 'x' or 'X' or 'g' or 'L' or 'K';
        string name = isRecord ? header.Name : _pax.Name ?? _longName ?? header.Name;
        string target = _pax.LinkName ?? _longLink ?? header.LinkName;
        // a pax size belongs to the file it precedes, not to a record between them
        long size = (isRecord ? null : _pax.Size) ?? header.Size
            ?? throw _archive.Damaged($"the header at byte {at} has a size that is no number");
        long start = at + TarBlocks.Size;
        if (type == 'S')
        {
            var entry = SparseMember.FromHeader(_archive, at, name, size);
            _members.Add(new TarMember(entry));
            EndMember();
            return entry.Offset + TarBlocks.Padded(size);
        }
        // links and devices carry no bytes, whatever their size field says
        bool isEmpty = type is '2' or '3' or '4' or '5' or '6' || (type == '1' && !IsLinkWithBytes(start, size));
        long stored = isEmpty ? 0 : size;
        _archive.RequireBytes(start, stored, name);
        _isAwaited |= isRecord && type != 'g';
        switch (type)
        {
            case 'L':
                _longName = TarText.Decode(_archive.Record(start, stored));
                break;
            case 'K':
                _longLink = TarText.Decode(_archive.Record(start, stored));
                break;
            case 'x' or 'X' or 'g':
                _pax.Read(_archive.Record(start, stored), global: type == 'g');
                break;
            default:
                AddMember(type, name, target, start, stored);
                EndMember();
                break;
        }
        return start + TarBlocks.Padded(stored);
    }

    private void AddMember(char type, string name, string target, long start, long stored)
    {
        switch (type)
        {
            case '1' when stored == 0:
                _members.Add(new TarMember(new TarEntry(name, start, 0), TarLink.Hard, target));
                break;
            case '2':
                _members.Add(new TarMember(new TarEntry(name, start, 0), TarLink.Symbolic, target));
                break;
            case 'M':
                _findings.AddContinued(name);
                break;
            // devices and folders; GNU's lists of folders, volume labels and old names; Solaris' rights and attributes
            case '3' or '4' or '5' or '6' or 'D' or 'V' or 'N' or 'A' or 'E':
                break;
            default:  // '0', '7', and by POSIX every other letter; before POSIX a folder was a file with a slash
                if (_pax.Continued is { } whole)
                {
                    _findings.AddContinued(whole);
                }
                else if (!name.EndsWith('/'))
                {
                    var sparse = SparseMember.FromPax(_archive, _pax, start, name, stored);
                    _members.Add(new TarMember(sparse ?? new TarEntry(name, start, stored)));
                }
                break;
        }
    }

    // pax archives may repeat the bytes for every hard link, and other writers leave the size of what has no bytes: where
    // a header, the end or nothing follows at once there are none.
    private bool IsLinkWithBytes(long start, long size)
    {
        if (size == 0)
        {
            return false;
        }
        var next = _archive.At(start);
        return !TarBlocks.IsZero(next) && !TarHeader.IsAt(next);
    }

    private void EndMember()
    {
        (_longName, _longLink, _isAwaited) = (null, null, false);
        _pax.EndMember();
    }

    // A record stands for the member behind it, so an archive that ends with one was cut.
    private void RequireMember(long at)
    {
        if (_isAwaited)
        {
            throw _archive.EndsEarly($"at byte {at} an entry should follow what is said about it, but none does");
        }
    }

    private TarContents Pictures()
    {
        bool isAnyLinked = _members.Exists(member => member.Link != TarLink.None && ImageNames.IsImage(member.Name));
        var links = isAnyLinked ? new TarLinks(_members) : null;
        var pictures = new List<TarEntry>();
        foreach (var member in _members)
        {
            if (ImageNames.IsImage(member.Name) && Picture(member, links) is { } picture && _findings.Accepts(picture))
            {
                pictures.Add(picture);
            }
            links?.Pass(member);
        }
        return new TarContents([.. pictures], [.. _findings.Sentences()]);
    }

    private TarEntry? Picture(TarMember member, TarLinks? links)
    {
        if (member.Link == TarLink.None)
        {
            return member.Entry;
        }
        if (links!.Follow(member, out string why) is { } file)
        {
            return file with { Name = member.Name };
        }
        _findings.AddLost(member, why);
        return null;
    }

    // The first block that is not zeros is no header.
    private InvalidDataException NoArchive(ReadOnlySpan<byte> block, long at)
    {
        if (at == 0 && ArchiveKind.Compression(block) is { } compression)
        {
            return new InvalidDataException(
                $"'{_archive.Path}' is compressed with {compression}; pictures are read from the middle of a tar " +
                "archive, which works only uncompressed. Unpack it to a plain .tar first.");
        }
        if (ArchiveKind.Other(block) is { } other)
        {
            return new InvalidDataException($"'{_archive.Path}' is no tar archive but {other}.");
        }
        return block.Length < TarBlocks.Size ? CutHeader(block, at)
            : TarHeader.IsMarked(block) ? NoHeader(at)
            : new InvalidDataException($"'{_archive.Path}' is no tar archive: at byte {at}, where its first header should be, " +
                                       $"it has {Convert.ToHexString(block[..8])}.");
    }

    private InvalidDataException NoHeader(long at) =>
        _archive.Damaged($"there is no header at byte {at}, where one should be");

    private InvalidDataException CutHeader(ReadOnlySpan<byte> block, long at) =>
        _archive.EndsEarly($"{block.Length} bytes of a header of {TarBlocks.Size} are there at byte {at}");
}
