using MimNative.Data;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class StandInTests
{
    private const int Count = 24;

    private static readonly TransformSettings Small = new() { Height = 8, Width = 6 };

    private static byte[]?[] Damaged(params int[] bad) =>
        [.. Enumerable.Range(0, Count).Select(i => bad.Contains(i) ? [] : Pictures.Numbered(i))];

    private static int[] AllBut(int good) => [.. Enumerable.Range(0, Count).Where(i => i != good)];

    // Of each view of two epochs, in order: whose turn it was, what it shows, and its pixels.
    private static List<(long Key, long Sample, string Pixels)> Views(byte[]?[] files, LoaderOptions options)
    {
        using var loader = new ImageLoader(new MemorySource(files), Small.Create(), options);
        var views = new List<(long, long, string)>();
        for (var left = (2 * loader.BatchesPerEpoch) - options.StartBatch; left > 0; --left)
        {
            var batch = loader.Next();
            for (var slot = 0; slot < batch.Count; ++slot)
            {
                var pixels = Convert.ToHexString(batch.View(slot));
                views.Add((batch.Keys.Span[slot], batch.Samples.Span[slot], pixels));
            }
            loader.Return(batch);
        }
        return views;
    }

    [TestCase(new[] { 5 })]
    [TestCase(new[] { 0, 1, 2, 3, 11, 17, 23 })]
    [TestCase(new int[0])]
    public void Views_do_not_depend_on_the_batch_size(int[] bad) => RequireSameViews(bad);

    [Test]
    public void Views_of_the_only_good_picture_do_not_depend_on_the_batch_size_either() => RequireSameViews(AllBut(7));

    private static void RequireSameViews(int[] bad)
    {
        var expected = Views(Damaged(bad), new LoaderOptions { BatchSize = 1, Seed = 11, Workers = 1 });
        foreach (var batch in new[] { 2, 3, 4, 8, 12, 24 })
        {
            Assert.That(Views(Damaged(bad), new LoaderOptions { BatchSize = batch, Seed = 11, Workers = 3 }), Is.EqualTo(expected), $"batches of {batch}");
        }
        var resumed = Views(Damaged(bad), new LoaderOptions { BatchSize = 4, Seed = 11, Workers = 2, StartBatch = 5 });
        Assert.That(resumed, Is.EqualTo(expected[20..]));
    }

    [Test]
    public void A_good_picture_is_shown_as_if_no_other_were_damaged()
    {
        var options = new LoaderOptions { BatchSize = 4, Seed = 11, Workers = 1 };
        var whole = Views(Damaged(), options);
        var views = Views(Damaged(3, 4, 9), options);
        Assert.That(views.Select(v => v.Key), Is.EqualTo(whole.Select(v => v.Key)));
        Assert.That(views.Where(v => v.Key is not (3 or 4 or 9)), Is.EqualTo(whole.Where(v => v.Key is not (3 or 4 or 9))));
        Assert.That(views.Select(v => v.Sample), Has.None.AnyOf(3L, 4L, 9L));
    }

    [Test]
    public void A_stand_in_is_seen_with_the_random_numbers_of_the_one_that_it_stands_for()
    {
        using var noise = Pictures.Noise(40, 40, seed: 1);
        var files = new byte[]?[Count];
        Array.Fill(files, []);
        files[7] = noise.EncodePng();
        var transform = Small.Create();
        var views = Views(files, new LoaderOptions { BatchSize = 8, Seed = 11, Workers = 1 });
        Assert.That(views.Take(Count).Select(v => v.Pixels), Is.Unique, "one picture, and a crop of its own for each");
        foreach (var view in views.Take(Count))
        {
            var uniforms = new float[transform.UniformCount];
            Ops.RandomUniform(uniforms, 0, view.Key, RandomStream.Crop, epoch: 0, seed: 11);
            var expected = new byte[8 * 6 * 3];
            transform.Apply(noise, uniforms, expected);
            Assert.That((view.Sample, view.Pixels), Is.EqualTo((7L, Convert.ToHexString(expected))));
        }
    }

    [Test]
    public void Each_damaged_picture_has_a_stand_in_of_its_own_and_another_one_each_epoch()
    {
        // 200 of 1000 are damaged: were the good ones drawn at random, about 177 different ones would stand in.
        var first = Enumerable.Range(0, 200).Select(sample => First(epoch: 0, sample)).ToList();
        var second = Enumerable.Range(0, 200).Select(sample => First(epoch: 1, sample)).ToList();
        Assert.That(first.Distinct().Count(), Is.InRange(160, 195));
        Assert.That(first.Zip(second).Count(p => p.First == p.Second), Is.LessThan(5));

        static int First(long epoch, int sample)
        {
            var order = new StandIns(1000, seed: 3, epoch, sample);
            return Enumerable.Range(0, 1000).Select(tried => order[tried]).First(found => found >= 200);
        }
    }

    [Test]
    public void Every_sample_is_tried_exactly_once([Values(1, 2, 3, 6, 24, 97, 360)] int count)
    {
        for (var sample = 0; sample < count; ++sample)
        {
            var order = new StandIns(count, seed: 5, epoch: 2, sample);
            Assert.That(Enumerable.Range(0, count).Select(tried => order[tried]), Is.EquivalentTo(Enumerable.Range(0, count)));
        }
    }
}
