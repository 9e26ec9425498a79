using System.Text;
using MimNative.Training;
using NUnit.Framework;
using static MimNative.Tests.Training.EventFile;

namespace MimNative.Tests.Training;

public sealed class TensorBoardLogTests : FolderTests
{
    [Test]
    public void The_checksum_is_crc_32c_masked()
    {
        // the check value of CRC-32C, from the catalogue of parametrised CRC algorithms
        Assert.That(Crc(Encoding.ASCII.GetBytes("123456789")), Is.EqualTo(0xe3069283));
        var random = new Random(1);
        for (int length = 0; length < 40; ++length)
        {
            var data = new byte[length];
            random.NextBytes(data);
            Assert.That(TensorBoardLog.MaskedChecksum(data), Is.EqualTo(Masked(data)));
        }
    }

    [Test]
    public void Scalars_and_pictures_are_read_back()
    {
        byte[] picture = [1, 2, 3, 200];
        var clock = new StoppedClock();
        string path;
        using (var log = new TensorBoardLog(At("tensorboard"), clock: clock))
        {
            path = log.Path;
            log.AddScalar("loss", 0.25, step: 7);
            log.AddScalar("loss", double.NaN, step: 1L << 40);
            log.AddImage("reconstruction", picture, width: 640, height: 480, step: 8);
            log.Flush();
            Assert.That(Records(path), Has.Count.EqualTo(4));
        }
        Assert.That(Path.GetFileName(path), Does.StartWith("events.out.tfevents.1700000000."));

        List<Dictionary<int, object>> events = [.. Records(path).Select(record => Message(record))];
        Assert.That(events.Select(e => e[1]), Is.All.EqualTo(1_700_000_000.5));
        Assert.That(Text(events[0][3]), Is.EqualTo("brain.Event:2"));
        Assert.That(events[0][2], Is.EqualTo(0L));

        Dictionary<int, object> loss = ValueOf(events[1]);
        Assert.That((events[1][2], Text(loss[1]), loss[2]), Is.EqualTo((7L, "loss", 0.25f)));
        Assert.That((events[2][2], ValueOf(events[2])[2]), Is.EqualTo((1L << 40, float.NaN)));

        Dictionary<int, object> shown = ValueOf(events[3]);
        Assert.That(Text(shown[1]), Is.EqualTo("reconstruction"));
        Dictionary<int, object> image = Message((byte[])shown[4]);
        Assert.That((image[1], image[2], image[3]), Is.EqualTo((480L, 640L, 3L)));
        Assert.That(image[4], Is.EqualTo(picture));
    }

    [Test]
    public void A_resumed_run_tells_TensorBoard_to_forget_later_steps()
    {
        using var log = new TensorBoardLog(Folder, resumedStep: 41);
        log.Flush();
        Dictionary<int, object> second = Message(Records(log.Path)[1]);
        Assert.That(second[2], Is.EqualTo(42L));
        Assert.That(Message((byte[])second[7])[1], Is.EqualTo(1L));
    }

    [Test]
    public void Two_logs_of_one_second_are_two_files()
    {
        using var first = new TensorBoardLog(Folder, clock: new StoppedClock());
        using var second = new TensorBoardLog(Folder, clock: new StoppedClock());
        Assert.That(second.Path, Is.Not.EqualTo(first.Path));
    }

    [Test]
    public void A_run_that_begins_anew_takes_back_what_it_wrote_before_it_had_a_checkpoint()
    {
        foreach (float loss in new[] { 2f, 3f })
        {
            using var log = new TensorBoardLog(Folder);
            log.AddScalar("loss", loss, step: 1);
        }
        Assert.That(Curve(Folder, "loss"), Is.EqualTo(new SortedDictionary<long, float> { [1] = 3 }));
    }

    [Test]
    public void Files_are_named_in_the_order_they_were_begun_in_even_where_the_clock_was_set_back()
    {
        string Begin(long seconds)
        {
            using var log = new TensorBoardLog(Folder, clock: new StoppedClock(seconds));
            return Path.GetFileName(log.Path);
        }
        string[] begun = [Begin(1_700_000_000), Begin(1_700_000_000), Begin(1_600_000_000), Begin(1_700_000_000)];
        Assert.That(begun, Is.Ordered.Using((IComparer<string>)StringComparer.Ordinal).And.Unique);
    }

    private sealed class StoppedClock(long seconds = 1_700_000_000) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds((seconds * 1000) + 500);
    }
}
