using System.Text;
using MimNative.Data;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
[NonParallelizable]
public sealed class ImageLoaderTests
{
    private const int Pictures23 = 23;

    private static readonly TransformSettings Small = new() { Height = 8, Width = 6 };

    private static LoaderOptions Options => new() { BatchSize = 4, Seed = 11, Workers = 2 };

    private static byte[]?[] Files(int count = Pictures23) =>
        [.. Enumerable.Range(0, count).Select(i => Pictures.Numbered(i))];

    private static ImageLoader Loader(LoaderOptions options, byte[]?[]? files = null) =>
        new(new MemorySource(files ?? Files()), Small.Create(), options);

    [Test]
    public void Epochs_have_every_sample_once_and_whole_batches_only()
    {
        using var loader = Loader(Options);
        Assert.That(loader.BatchesPerEpoch, Is.EqualTo(5));
        for (long epoch = 0; epoch < 3; ++epoch)
        {
            var order = new EpochOrder(Pictures23, 11, epoch);
            for (long index = 0; index < 5; ++index)
            {
                var batch = loader.Next();
                Assert.That((batch.Epoch, batch.Index, batch.Count), Is.EqualTo((epoch, index, 4)));
                Assert.That(batch.Samples.ToArray(), Is.EqualTo(Enumerable.Range(0, 4).Select(s => order[4 * index + s])));
                loader.Return(batch);
            }
        }
        Assert.That(loader.SkippedCount, Is.Zero);
    }

    [Test]
    public void View_is_the_samples_crop_with_its_own_random_numbers()
    {
        var transform = Small.Create();
        using var loader = Loader(Options with { StartEpoch = 2 });
        var batch = loader.Next();
        for (int slot = 0; slot < batch.Count; ++slot)
        {
            using var image = MimNative.Runtime.Image.Decode(Pictures.Numbered((int)batch.Samples.Span[slot]));
            var uniforms = new float[transform.UniformCount];
            Ops.RandomUniform(uniforms, 0, batch.Samples.Span[slot], RandomStream.Crop, epoch: 2, seed: 11);
            var expected = new byte[8 * 6 * 3];
            transform.Apply(image, uniforms, expected);
            Assert.That(batch.Pixels.Slice(slot * expected.Length, expected.Length).ToArray(), Is.EqualTo(expected));
        }
    }

    [Test]
    public void A_sample_is_seen_with_another_crop_in_each_epoch()
    {
        using var pictures = new ShapesSource(4, 40, 48, seed: 1);
        var transform = Small.Create();
        var reader = new SampleReader(pictures, transform, Options);
        var workspace = new SampleReader.Workspace(transform);
        byte[][] views = [.. Enumerable.Range(0, 4).Select(_ => new byte[8 * 6 * 3])];
        for (int epoch = 0; epoch < views.Length; ++epoch)
        {
            reader.Read(sample: 2, epoch, workspace, views[epoch]);
        }
        Assert.That(views.Select(Convert.ToHexString), Is.Unique);
    }

    [Test]
    public void Batches_do_not_depend_on_the_workers_nor_on_how_far_they_run_ahead()
    {
        var files = Files();
        files[5] = [];
        files[6] = "no picture"u8.ToArray();
        string expected = Fingerprint(Options with { Workers = 1, Prefetch = 1 }, files, batches: 17);
        foreach (var (workers, prefetch) in ((int, int)[])[(1, 4), (2, 1), (4, 3), (7, 2)])
        {
            Assert.That(Fingerprint(Options with { Workers = workers, Prefetch = prefetch }, files, 17), Is.EqualTo(expected),
                        $"{workers} workers, {prefetch} ahead");
        }
    }

    [Test]
    public void Run_resumed_in_the_middle_of_an_epoch_continues_the_same([Values(false, true)] bool withBadFiles)
    {
        var files = Files();
        if (withBadFiles)
        {
            (files[0], files[9], files[17]) = ([], [], []);
        }
        string[] whole = Fingerprint(Options, files, 14).Split('\n'), rest = Fingerprint(
            Options with { StartEpoch = 1, StartBatch = 3 }, files, 6).Split('\n');
        Assert.That(rest, Is.EqualTo(whole[8..]));
    }

    [Test]
    public void Other_seeds_give_other_batches_and_crops()
    {
        string first = Fingerprint(Options, Files(), 5);
        Assert.That(Fingerprint(Options with { Seed = 12 }, Files(), 5), Is.Not.EqualTo(first));
    }

    [Test]
    public void Bad_pictures_are_skipped_listed_once_and_replaced()
    {
        using var folder = new TemporaryFolder();
        byte[] good = Pictures.Numbered(1);
        for (int i = 0; i < 20; ++i)
        {
            File.WriteAllBytes(folder.File($"{i:D2}.jpg"), Pictures.Numbered(i));
        }
        File.WriteAllBytes(folder.File("03.jpg"), []);
        File.WriteAllText(folder.File("04.jpg"), "this is no picture");
        File.WriteAllBytes(folder.File("05.jpg"), good[..(good.Length / 2)]);
        using var source = new FolderSource(folder.Path);
        File.Delete(folder.File("06.jpg"));

        var told = new List<SkippedImage>();
        using (var loader = new ImageLoader(source, Small.Create(), Options with { Skipped = told.Add }))
        {
            for (int i = 0; i < 10; ++i)
            {
                var batch = loader.Next();
                Assert.That(batch.Samples.ToArray(), Has.None.InRange(3, 6));
                Assert.That(batch.Keys.ToArray(), Is.Unique);
                loader.Return(batch);
            }
            Assert.That(loader.SkippedCount, Is.EqualTo(4));
            Assert.That(loader.Skipped().Select(bad => bad.Name), Is.EqualTo(["03.jpg", "04.jpg", "05.jpg", "06.jpg"]));
        }
        Assert.That(told.Select(bad => bad.Name).Order(), Is.EqualTo(["03.jpg", "04.jpg", "05.jpg", "06.jpg"]));
        Assert.That(told.Single(bad => bad.Sample == 3).Reason, Does.Contain("empty"));
        Assert.That(told.Single(bad => bad.Sample == 6).Reason, Does.Contain("06.jpg"));
    }

    [Test]
    public void Last_good_picture_is_found_and_none_is_an_error()
    {
        var files = new byte[]?[12];
        Array.Fill(files, []);
        using (var loader = Loader(Options, files))
        {
            for (int i = 0; i < 2; ++i)
            {
                Assert.That(() => loader.Next(), Throws.TypeOf<InvalidDataException>().With.Message.Contains("None of the 12")
                    .And.Message.Contains("'0.png'"));
            }
        }
        files[7] = Pictures.Numbered(7);
        using (var loader = Loader(Options, files))
        {
            Assert.That(loader.Next().Samples.ToArray(), Is.EqualTo([7L, 7, 7, 7]));
        }
    }

    [Test]
    public void Bad_picture_is_read_once_in_a_run()
    {
        var files = Files(8);
        files[2] = [];
        var source = new MemorySource(files);
        using (var loader = new ImageLoader(source, Small.Create(), Options with { Workers = 1, Prefetch = 1 }))
        {
            Take(loader, 10);
        }
        // 10 batches used, at most 2 more begun, and the bad one
        Assert.That(source.Reads, Is.InRange(41, 49));
    }

    [Test]
    public void Strict_makes_the_first_bad_picture_an_error_at_its_batch([Values(1, 4)] int workers)
    {
        var files = Files();
        var order = new EpochOrder(Pictures23, 11, 0);
        files[order[9]] = [];   // batch 2
        files[order[11]] = [];
        using var loader = Loader(Options with { Strict = true, Workers = workers, Prefetch = 4 }, files);
        Take(loader, 2);
        for (int i = 0; i < 2; ++i)
        {
            Assert.That(() => loader.Next(),
                        Throws.TypeOf<InvalidDataException>().With.Message.Contains($"'{order[9]}.png'"));
        }
    }

    [Test]
    public void Failing_disk_is_an_error_as_it_is_and_not_a_skipped_picture()
    {
        var files = Files();
        var order = new EpochOrder(Pictures23, 11, 0);
        files[order[6]] = null;
        var failure = new IOException("the disk is gone");
        using var loader = new ImageLoader(new MemorySource(files, () => failure), Small.Create(), Options);
        Take(loader, 1);
        Assert.That(() => loader.Next(), Throws.Exception.SameAs(failure));
        Assert.That(loader.SkippedCount, Is.Zero);
    }

    [Test]
    public void Epoch_past_the_last_is_an_error_and_not_a_crash()
    {
        using var loader = Loader(Options with { StartEpoch = int.MaxValue, StartBatch = 4 });
        Take(loader, 1);
        Assert.That(() => loader.Next(), Throws.TypeOf<MimException>().With.Message.Contains("epoch"));
    }

    [Test]
    public void Waiting_is_cancelled_and_measured()
    {
        using var never = new ManualResetEventSlim();
        var files = Files();
        files[0] = null;
        Exception Wait()
        {
            never.Wait();
            return new FileNotFoundException("too late");
        }
        using var loader = new ImageLoader(new MemorySource(files, Wait), Small.Create(),
                                           Options with { BatchSize = Pictures23 });
        using var cancel = new CancellationTokenSource(50);
        Assert.That(() => loader.Next(cancel.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(loader.TotalWait, Is.GreaterThan(TimeSpan.FromMilliseconds(20)));
        never.Set();
        Assert.That(loader.Next().Count, Is.EqualTo(Pictures23), "the loader goes on after a cancelled wait");
    }

    [Test]
    public void Dispose_joins_the_threads_while_they_work()
    {
        var source = new MemorySource(Files());
        for (int i = 0; i < 20; ++i)
        {
            var loader = new ImageLoader(source, Small.Create(), Options with { Workers = 4, Prefetch = 3 });
            if (i % 2 == 0)
            {
                loader.Next();
            }
            loader.Dispose();
            int reads = source.Reads;
            Thread.Yield();
            Assert.That(source.Reads, Is.EqualTo(reads));
            Assert.That(() => loader.Next(), Throws.TypeOf<ObjectDisposedException>());
        }
    }

    [Test]
    public void Batches_are_used_again_and_their_misuse_is_refused()
    {
        using var loader = Loader(Options with { Prefetch = 2 });
        ImageBatch[] held = [loader.Next(), loader.Next(), loader.Next()];
        Assert.That(() => loader.Next(), Throws.InvalidOperationException.With.Message.Contains("All 3 batches"));
        loader.Return(held[1]);
        Assert.That(() => loader.Return(held[1]), Throws.InvalidOperationException);
        Assert.That(loader.Next(), Is.SameAs(held[1]));
        Assert.That(held[1].Index, Is.EqualTo(3));
    }

    [Test]
    public void Memory_of_the_steady_state_is_small()
    {
        using var loader = Loader(Options with { Workers = 1 });
        Take(loader, 30);
        long Each()
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Take(loader, 100);
            return (GC.GetTotalAllocatedBytes(precise: true) - before) / 400;
        }
        // The least of a few: whoever runs the tests writes reports beside them, in this process.
        long each = Enumerable.Range(0, 5).Min(_ => Each());
        // an image and its handle, and the epoch's order; the pixels and the file's bytes would be thousands
        Assert.That(each, Is.LessThan(400));
    }

    [Test]
    public void Wrong_option_is_named_in_the_error()
    {
        foreach (var (options, named) in ((LoaderOptions, string)[])
                 [
                     (Options with { BatchSize = 0 }, "BatchSize"), (Options with { Workers = 0 }, "Workers"),
                     (Options with { Prefetch = 0 }, "Prefetch"), (Options with { StartEpoch = -1 }, "StartEpoch"),
                     (Options with { StartBatch = 5 }, "StartBatch"), (Options with { BatchSize = 24 }, "the source has 23"),
                 ])
        {
            Assert.That(() => Loader(options), Throws.InstanceOf<ArgumentException>().With.Message.Contains(named));
        }
    }

    private static void Take(ImageLoader loader, int batches)
    {
        for (int i = 0; i < batches; ++i)
        {
            loader.Return(loader.Next());
        }
    }

    // One line a batch: which it is, its samples, and a hash of all its bits.
    private static string Fingerprint(LoaderOptions options, byte[]?[] files, int batches)
    {
        using var loader = Loader(options, files);
        var lines = new StringBuilder();
        for (int i = 0; i < batches; ++i)
        {
            var batch = loader.Next();
            var hash = new HashCode();
            hash.AddBytes(batch.Pixels);
            lines.Append(i == 0 ? "" : "\n").Append(batch.Epoch).Append(' ').Append(batch.Index).Append(": ")
                .AppendJoin(' ', batch.Samples.ToArray()).Append(" # ").Append(hash.ToHashCode());
            loader.Return(batch);
        }
        return lines.ToString();
    }
}
