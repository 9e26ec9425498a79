using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>Which maps are made of a layer: the mean of its heads, one of each, or of a single one.</summary>
public readonly record struct HeadChoice
{
    private readonly int? _head;
    private readonly bool _all;

    private HeadChoice(int? head, bool all) => (_head, _all) = (head, all);

    /// <summary>The mean.</summary>
    public static HeadChoice Mean => new(null, all: false);

    /// <summary>Each for itself.</summary>
    public static HeadChoice All => new(null, all: true);

    /// <summary>One.</summary>
    public static HeadChoice Of(int head) => new(head, all: false);

    internal IEnumerable<int?> In(AttentionLayer layer) =>
        _all ? Enumerable.Range(0, layer.Heads).Select(h => (int?)h) : [_head];
}

/// <summary>A picture's maps, and whether its query patch was hidden where pictures are masked.</summary>
public sealed record AttentionOfPicture(IReadOnlyList<AttentionMap> Maps, bool QueryIsHidden);

/// <summary>Maps of a query and mean distances of some layers, picture by picture.</summary>
/// <param name="probe">The model.</param>
/// <param name="layers">The layers, of <see cref="AttentionProbe.Layers"/>.</param>
/// <param name="query">The query's patch on the model's grid.</param>
/// <param name="heads">Which maps are made.</param>
public sealed class AttentionStudy(AttentionProbe probe, IReadOnlyList<string> layers, (int Row, int Column) query, HeadChoice heads)
{
    private readonly List<AttentionOfPicture> _pictures = [];
    private readonly List<AttentionDistance> _distances = [];

    /// <summary>The query.</summary>
    public (int Row, int Column) Query => query;

    /// <summary>Each picture's maps.</summary>
    public IReadOnlyList<AttentionOfPicture> Pictures => _pictures;

    /// <summary>Mean distances over all pictures, layer by layer.</summary>
    public IReadOnlyList<AttentionDistance> Distances => _distances;

    /// <summary>How far weights times values were from the kernel's own answers at most: <see cref="AttentionLayer.Error"/>.</summary>
    public double Error { get; private set; }

    /// <summary>Takes in a picture of the model's size.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="hidden">The patches that are hidden where it is masked.</param>
    /// <param name="encodesWhole">Whether the encoder's layers are looked at with nothing hidden.</param>
    public void Add(Image picture, bool[] hidden, bool encodesWhole)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        string[] whole = [.. layers.Where(l => encodesWhole && !AttentionProbe.IsDecoder(l))], masked = [.. layers.Except(whole)];
        var seen = new Dictionary<string, AttentionLayer>();
        void Take(IReadOnlyList<AttentionLayer> found) => found.ToList().ForEach(layer => seen.Add(layer.Name, layer));
        if (whole.Length > 0)
        {
            Take(probe.Whole(picture, whole));
        }
        if (masked.Length > 0)
        {
            Take(probe.Masked(picture, hidden, masked));
        }
        var grid = probe.Grid;
        var maps = new List<AttentionMap>();
        for (var i = 0; i < layers.Count; i++)
        {
            var layer = seen[layers[i]];
            if (i == _distances.Count)
            {
                _distances.Add(AttentionDistance.Of(layer));
            }
            maps.AddRange(heads.In(layer).Select(head => AttentionMap.Of(layer, head, query.Row, query.Column, grid.Rows, grid.Columns)));
            _distances[i].Add(layer, grid.Height, grid.Width);
            Error = Math.Max(Error, layer.Error());
        }
        _pictures.Add(new AttentionOfPicture(maps, hidden[(query.Row * grid.Columns) + query.Column]));
    }
}
