using System.Buffers;

namespace MimNative.Training;

/// <summary>
/// Splits a stream into lines of bytes; what follows the last newline is no line. A line is at most a mebibyte: a longer one, which only
/// damage can make, comes in pieces.
/// </summary>
internal sealed class LineReader(Stream stream) : IDisposable
{
    private const int Longest = 1 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
    private int _begin, _end;

    /// <summary>Whether no byte follows the line returned last.</summary>
    public bool AtEnd => _begin == _end && stream.Position == stream.Length;

    /// <summary>After the last line: what follows its newline.</summary>
    public ReadOnlyMemory<byte> Rest => _buffer.AsMemory(_begin, _end - _begin);

    /// <summary>The next line, which is there until the next call; false after the last one.</summary>
    public bool Next(out ReadOnlyMemory<byte> line)
    {
        int searched = _begin;
        while (true)
        {
            int newline = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                line = _buffer.AsMemory(_begin, searched + newline - _begin);
                _begin = searched + newline + 1;
                return true;
            }
            if (_end - _begin >= Longest)
            {
                line = Rest;
                _begin = _end;
                return true;
            }
            int kept = MakeRoom();
            int read = stream.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0)
            {
                line = default;
                return false;
            }
            (searched, _end) = (kept, _end + read);
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    /// <summary>Moves the unfinished line to the front; returns how long it is.</summary>
    private int MakeRoom()
    {
        int kept = _end - _begin;
        byte[] target = kept < _buffer.Length ? _buffer : ArrayPool<byte>.Shared.Rent(2 * kept);
        Buffer.BlockCopy(_buffer, _begin, target, 0, kept);
        if (target != _buffer)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = target;
        }
        (_begin, _end) = (0, kept);
        return kept;
    }
}
