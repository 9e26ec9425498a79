namespace MimNative.Data;

/// <summary>
/// Walks from header to header of a tar archive, without reading the files between them, and lists regular files,
/// sparse ones, and links. Folders and devices are passed over. Archives that were joined end to end are read on. The
/// archive must not be compressed.
/// </summary>
/// <remarks>
/// System.Formats.Tar is not used, because its reader ends with an exception at a sparse member, ends in silence at the
/// zero blocks between joined archives, and makes one name of two that differ in bytes that are no UTF-8. It also takes
/// more than twice as long for an archive of many members; the tests write archives with it.
/// An archive is a row of members: a header, then the file's bytes, filled up to whole blocks. Two zero blocks end it;
/// some writers leave them out.
/// </remarks>
internal sealed class TarWalker(TarBlocks archive, TarFindings findings)
{
    private readonly PaxRecords _pax = new(archive);
    private readonly List<TarMember> _members = [];
    private string? _longName;  // of GNU's records, for the member behind them
    private string? _longLink;
    private bool _isAwaited;  // a record was there, but not yet its member

    /// <summary>All files and links, in the archive's order.</summary>
    public List<TarMember> Walk()
    {
        bool any = false, ended = false;  // a header was there; zero blocks were the last
        for (long at = 0; at < archive.Length;)
        {
            var block = archive.At(at);
            if (TarHeader.IsAt(block))
            {
                at = ReadMember(new TarHeader(block), at);
                (any, ended) = (true, false);
            }
            else if (TarBlocks.IsZero(block))
            {
                RequireMember(at);
                at = archive.SkipZeros(at);
                ended = true;
            }
            else if (!any)
            {
                throw NoArchive(block, at);
            }
            else if (ended && !TarHeader.IsMarked(block))
            {
                findings.Behind = (at, archive.Length - at, ArchiveKind.Compression(block) ?? ArchiveKind.Other(block));
                break;
            }
            else
            {
                throw WrongHeader(block, at);
            }
        }
        RequireMember(archive.Length);
        findings.IsEmpty = !any;
        return _members;
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
            ?? throw archive.Damaged($"the header at byte {at} has a size that is no number");
        if (type == 'S')
        {
            var entry = SparseMember.FromHeader(archive, at, name, size);
            _members.Add(new TarMember(entry));
            EndMember();
            return entry.Offset + TarBlocks.Padded(size);
        }
        long start = at + TarBlocks.Size;
        // links and devices carry no bytes, whatever their size field says
        bool isEmpty = type is '2' or '3' or '4' or '5' or '6' || (type == '1' && !IsLinkWithBytes(start, size));
        long stored = isEmpty ? 0 : size;
        archive.RequireBytes(start, stored, name);
        if (isRecord)
        {
            ReadRecord(type, archive.Record(start, stored));
        }
        else
        {
            AddMember(type, name, target, start, stored);
            EndMember();
        }
        return start + TarBlocks.Padded(stored);
    }

    private void ReadRecord(char type, ReadOnlySpan<byte> content)
    {
        _isAwaited |= type != 'g';
        switch (type)
        {
            case 'L':
                _longName = TarText.Decode(content);
                break;
            case 'K':
                _longLink = TarText.Decode(content);
                break;
            default:  // 'X' is Solaris' letter for 'x'
                _pax.Read(content, global: type == 'g');
                break;
        }
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
                findings.AddContinued(name);
                break;
            // devices and folders; GNU's lists of folders, volume labels and old names; Solaris' rights and attributes
            case '3' or '4' or '5' or '6' or 'D' or 'V' or 'N' or 'A' or 'E':
                break;
            default:  // '0', '7', and by POSIX every other letter
                AddFile(name, start, stored);
                break;
        }
    }

    private void AddFile(string name, long start, long stored)
    {
        if (_pax.Continued is { } whole)
        {
            findings.AddContinued(whole);
        }
        else if (!name.EndsWith('/'))  // before POSIX a folder was a file with a slash
        {
            var sparse = SparseMember.FromPax(archive, _pax, start, name, stored);
            _members.Add(new TarMember(sparse ?? new TarEntry(name, start, stored)));
        }
    }

    // A pax archive may repeat the bytes for every hard link. Other writers state the file's size, but no bytes follow:
    // there the next header or the end does.
    private bool IsLinkWithBytes(long start, long size)
    {
        if (size == 0)
        {
            return false;
        }
        var next = archive.At(start);
        return !TarBlocks.IsZero(next) && !TarHeader.IsAt(next);
    }

    private void EndMember()
    {
        (_longName, _longLink, _isAwaited) = (null, null, false);
        _pax.EndMember();
    }

    // A record is about the member behind it, so an archive that ends with one was cut.
    private void RequireMember(long at)
    {
        if (_isAwaited)
        {
            throw archive.EndsEarly($"at byte {at} an entry should follow what is said about it, but none does");
        }
    }

    // For a file whose first block that is not zeros is no header.
    private InvalidDataException NoArchive(ReadOnlySpan<byte> block, long at)
    {
        if (at == 0 && ArchiveKind.Compression(block) is { } compression)
        {
            return new InvalidDataException(
                $"'{archive.Path}' is compressed with {compression}; pictures are read from the middle of a tar " +
                "archive, which works only uncompressed. Unpack it to a plain .tar first.");
        }
        if (ArchiveKind.Other(block) is { } other)
        {
            return new InvalidDataException($"'{archive.Path}' is no tar archive but {other}.");
        }
        return block.Length < TarBlocks.Size || TarHeader.IsMarked(block)
            ? WrongHeader(block, at)
            : new InvalidDataException($"'{archive.Path}' is no tar archive: at byte {at}, where its first header " +
                                       $"should be, it has {Convert.ToHexString(block[..8])}.");
    }

    private InvalidDataException WrongHeader(ReadOnlySpan<byte> block, long at) =>
        block.Length == TarBlocks.Size
            ? archive.Damaged($"there is no header at byte {at}, where one should be")
            : archive.EndsEarly($"{block.Length} bytes of a header of {TarBlocks.Size} are there at byte {at}");
}
