using System.Text.Json;
using MimNative.Export;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

public sealed class MetricsLogTests : FolderTests
{
    private string Log => At("metrics.jsonl");

    [Test]
    public void Each_line_is_a_json_object()
    {
        using (MetricsLog log = MetricsLog.Open(Log, resumedStep: 0))
        {
            log.Append(1, Values(("loss", 0.5), ("learning_rate", 1e-5)));
            log.Append(2, Values(("loss", double.NaN)));
            log.FlushToDisk();
        }
        Assert.That(File.ReadAllText(Log), Is.EqualTo(
            """
            {"step":1,"loss":0.5,"learning_rate":1E-05}
            {"step":2,"loss":null}

            """.ReplaceLineEndings("\n")));
    }

    [Test]
    public void Lines_are_seen_while_the_run_goes_on()
    {
        using MetricsLog log = MetricsLog.Open(Log, resumedStep: 0);
        log.Append(1, Values(("loss", 0.5)));
        using var reader = new StreamReader(
            new FileStream(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.That(reader.ReadLine(), Is.EqualTo("""{"step":1,"loss":0.5}"""));
    }

    [TestCase(0)]
    [TestCase(7)]
    [TestCase(100_000)]
    public void A_resumed_run_has_each_step_once(int resumed)
    {
        Write(1, 20_000);  // many blocks of the file
        Write(resumed + 1, resumed + 5, resumed);
        long[] steps = Steps();
        long[] expected = [.. Enumerable.Range(1, Math.Min(resumed, 20_000)).Select(i => (long)i),
            .. Enumerable.Range(resumed + 1, 5).Select(i => (long)i)];
        Assert.That(steps, Is.EqualTo(expected));
    }

    [TestCase("{\"step\":4,\"lo")]
    [TestCase("{\"step\":4,\"loss\":0.5}")]
    [TestCase("\0\0\0\0")]
    [TestCase("\0\0\0\0\n")]
    [TestCase("{\"step\":\n")]
    public void A_torn_last_line_is_dropped(string torn)
    {
        Write(1, 3);
        File.AppendAllText(Log, torn);
        Write(4, 4, resumed: 10);
        Assert.That(Steps(), Is.EqualTo(new[] { 1, 2, 3, 4 }));
    }

    [Test]
    public void A_line_longer_than_a_block_is_read()
    {
        File.WriteAllText(Log, $$"""{"step":1,"note":"{{new string('x', 300_000)}}"}""" + "\n");
        Write(2, 3, resumed: 1);
        Assert.That(Steps(), Is.EqualTo(new[] { 1, 2, 3 }));
    }

    [TestCase("not json")]
    [TestCase("{}")]
    [TestCase("""{"step":"1"}""")]
    [TestCase("[1]")]
    public void A_damaged_line_in_the_middle_is_named_and_nothing_is_lost(string damaged)
    {
        Write(1, 2);
        File.AppendAllText(Log, damaged + "\n");
        File.AppendAllText(Log, """{"step":4}""" + "\n");
        string before = File.ReadAllText(Log);
        Assert.That(() => MetricsLog.Open(Log, 10), Throws.TypeOf<InvalidFileException>()
            .With.Message.StartsWith(Log).And.Message.Contains("line 3"));
        Assert.That(File.ReadAllText(Log), Is.EqualTo(before));
    }

    private void Write(long first, long last, long resumed = 0)
    {
        using MetricsLog log = MetricsLog.Open(Log, resumed);
        for (long step = first; step <= last; ++step)
        {
            log.Append(step, Values(("loss", 1.0 / step)));
        }
    }

    private long[] Steps() =>
    [
        .. File.ReadLines(Log).Select(line =>
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.GetProperty("step").GetInt64();
        })
    ];

    private static IEnumerable<KeyValuePair<string, double>> Values(
        params (string Name, double Value)[] values) =>
        values.Select(v => KeyValuePair.Create(v.Name, v.Value));
}
