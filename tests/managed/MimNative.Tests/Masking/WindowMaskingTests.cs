using MimNative.Masking;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Masking;

public sealed class WindowMaskingTests
{
    private const int Rows = 9, Columns = 12, Side = 4, Windows = 3, Size = Side * Side, Masked = 11, Visible = Size - Masked;

    private TestRun _run = null!;

    [SetUp]
    public void Open() => _run = TestRun.On(Device.Cpu);

    [TearDown]
    public void Close() => _run.Dispose();

    [Test]
    public void Visible_and_hidden_patches_make_up_each_window([Values] bool shared)
    {
        var (visible, masked, restore, inside) = Draw(shared, 5, 6, 7, 8);
        for (var r = 0; r < 4 * Windows; r++)
        {
            int[] patches = [.. visible[r], .. masked[r]];
            int top = patches.Min() / Columns, left = patches.Min(p => p % Columns);
            int[] window = [.. Enumerable.Range(0, Size).Select(i => ((top + (i / Side)) * Columns) + left + (i % Side))];
            using (Assert.EnterMultipleScope())
            {
                Assert.That(patches, Is.EquivalentTo(window));
                Assert.That(masked[r], Is.EqualTo(inside[r].Select(i => window[i])));
                Assert.That(restore[r], Is.EquivalentTo(Enumerable.Range(0, Size)));
                Assert.That(
                    Enumerable.Range(0, Size).Select(i => restore[r][i] < Visible ? visible[r][restore[r][i]] : -1),
                    Is.EqualTo(window.Select(p => masked[r].Contains(p) ? -1 : p)), "visible patches return to their places");
            }
        }
    }

    [Test]
    public void Windows_of_an_image_share_no_first_row_and_no_first_column()
    {
        for (long sample = 0; sample < 30; sample++)
        {
            var places = Places(shared: false, sample);
            using (Assert.EnterMultipleScope())
            {
                Assert.That(places.Select(p => p.Top), Is.Unique);
                Assert.That(places.Select(p => p.Left), Is.Unique);
            }
        }
    }

    [Test]
    public void Images_have_windows_of_their_own_and_always_the_same()
    {
        var batch = Places(shared: false, 3, 4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(batch[..Windows], Is.EqualTo(Places(shared: false, 3)));
            Assert.That(batch[Windows..], Is.EqualTo(Places(shared: false, 4)));
            Assert.That(batch[Windows..], Is.Not.EqualTo(batch[..Windows]));
        }
    }

    [Test]
    public void Shared_windows_follow_upstreams_order_of_rows()
    {
        // Four images, three windows: row r of upstream's batch is image r mod 4 with window r mod 3.
        var places = Places(shared: true, 3, 4, 5, 6);
        var windows = places[..Windows];
        Assert.That(windows, Is.Unique);
        for (var n = 0; n < 4; n++)
        {
            for (var k = 0; k < Windows; k++)
            {
                Assert.That(places[(n * Windows) + k], Is.EqualTo(windows[Array.FindIndex(
                    [.. Enumerable.Range(0, Windows)], w => (w * 4 % Windows) == (((k * 4) + n) % Windows))]), $"image {n}, window {k}");
            }
        }
        // Three images: each sees a single place.
        var same = Places(shared: true, 3, 4, 5);
        Assert.That(same[..Windows].Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public void Fewer_windows_are_drawn_where_there_are_not_so_many_places() =>
        Assert.That(new WindowMasking(5, 9, 4, windows: 6, 0.5, shared: false).Windows, Is.EqualTo(2));

    [Test]
    public void Tiles_cover_the_grid()
    {
        var masking = Make(shared: false);
        var tiles = masking.Tiles();
        var covered = tiles.SelectMany(t => Enumerable.Range(0, Size).Select(i => masking.Patch(t, i))).Distinct();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(covered, Is.EquivalentTo(Enumerable.Range(0, Rows * Columns)));
            Assert.That(tiles, Has.Count.EqualTo(3 * 3));
        }
    }

    private static WindowMasking Make(bool shared) => new(Rows, Columns, Side, Windows, ratio: 0.7, shared);

    private (int[][] Visible, int[][] Masked, int[][] Restore, int[][] Inside) Draw(bool shared, params long[] samples)
    {
        _run.Step.Begin();
        var mask = Make(shared).Sample(new BatchKey(samples, Seed: 2, Epoch: 1), _run.Step);
        int[][] Of(Tensor tensor, int length) => [.. _run.Step.ToArray<int>(tensor).Chunk(length)];
        return (Of(mask.IdsVisible, Visible), Of(mask.PatchesMasked, Masked), Of(mask.IdsRestore, Size), Of(mask.IdsMasked, Masked));
    }

    private WindowPlace[] Places(bool shared, params long[] samples)
    {
        var (visible, masked, _, _) = Draw(shared, samples);
        return [.. visible.Zip(masked, (v, m) => v.Concat(m).ToArray()).Select(p => new WindowPlace(p.Min() / Columns, p.Min(i => i % Columns)))];
    }
}
