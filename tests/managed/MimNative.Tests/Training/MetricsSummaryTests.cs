using System.Globalization;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

public sealed class MetricsSummaryTests : FolderTests
{
    private const int ImagesPerStep = 8;

    private string MetricsFile => At("metrics.jsonl");

    private static string Line(int step, double loss, double speed = 4) => string.Create(
        CultureInfo.InvariantCulture, $$"""{"step":{{step}},"epoch":0,"loss":{{loss}},"gradient_norm":null,"images_per_second":{{speed}}}""") + "\n";

    private MetricsSummary Read(string text)
    {
        File.WriteAllText(MetricsFile, text);
        return MetricsSummary.Read(MetricsFile, ImagesPerStep);
    }

    [Test]
    public void The_course_is_means_over_ten_spans()
    {
        var summary = Read(string.Concat(Enumerable.Range(1, 200).Select(step => Line(step, step))));
        Assert.That(summary.Course, Is.EqualTo(new[] { 10.5, 30.5, 50.5, 70.5, 90.5, 110.5, 130.5, 150.5, 170.5, 190.5 }));
        Assert.That((summary.Steps, summary.LastStep, summary.FirstLoss, summary.LastLoss), Is.EqualTo((200, 200L, 1f, 200f)));
        Assert.That((summary.DamagedLines, summary.IsTorn), Is.EqualTo((0, false)));
    }

    [Test]
    public void Every_step_counts_once_however_many_there_are([Values(1, 2, 9, 10, 11, 19, 23)] int steps)
    {
        var summary = Read(string.Concat(Enumerable.Range(1, steps).Select(step => Line(step, 3))));
        Assert.That(summary.Course, Has.Count.EqualTo(Math.Min(steps, 10)).And.All.EqualTo(3));
    }

    [Test]
    public void Speed_and_time_follow_from_every_steps_speed()
    {
        // 8 images a step: 100 steps of 2 s, then 100 of 1 s
        var summary = Read(string.Concat(Enumerable.Range(1, 200).Select(step => Line(step, 1, step <= 100 ? 4 : 8))));
        Assert.That(summary.Seconds, Is.EqualTo(300));
        Assert.That(summary.ImagesPerSecond, Is.EqualTo(1600 / 300.0).Within(1e-9));
        Assert.That((summary.ImagesPerSecondLately, summary.SecondsPerStepLately), Is.EqualTo((8.0, 1.0)));
    }

    [TestCase("oops\n", 1)]
    [TestCase("{\"loss\":1}\n", 1)]
    [TestCase("{\"step\":\"2\"}\n", 1)]
    [TestCase("{\"step\":2} {\"step\":3}\n", 1)]
    [TestCase("{\"step\":2,\"lo{\"step\":2,\"loss\":1}\n", 1)]
    [TestCase("[1]\n\0\0\0\n", 2)]
    [TestCase("\n  \r\n", 0)]
    public void Damaged_lines_are_counted_and_passed_over(string between, int damaged)
    {
        var summary = Read(Line(1, 5) + between + Line(2, 7));
        Assert.That((summary.Steps, summary.LastStep, summary.LastLoss), Is.EqualTo((2, 2L, 7f)));
        Assert.That((summary.DamagedLines, summary.IsTorn), Is.EqualTo((damaged, false)));
    }

    [Test]
    public void A_last_line_without_its_end_is_told_apart_from_one_that_lacks_only_the_newline()
    {
        Assert.That(Read(Line(1, 5) + Line(2, 7)[..^9]), Has.Property("IsTorn").True.And.Property("Steps").EqualTo(1));
        Assert.That(Read(Line(1, 5) + Line(2, 7)[..^1]), Has.Property("IsTorn").False.And.Property("Steps").EqualTo(2));
    }

    [Test]
    public void Zeros_that_a_power_cut_leaves_are_no_line_without_end()
    {
        var summary = Read(Line(1, 5) + new string('\0', 3 << 20) + "\n" + Line(2, 7));
        Assert.That((summary.Steps, summary.LastLoss), Is.EqualTo((2, 7f)));
        Assert.That(summary.DamagedLines, Is.GreaterThan(0));
    }

    [Test]
    public void Numbers_that_are_not_finite_and_lines_with_fewer_or_other_fields_are_borne()
    {
        var summary = Read("{\"step\":1,\"loss\":null}\r\n{\"more\":{\"a\":[1]},\"step\":2,\"loss\":[3]}\r\n{\"step\":3,\"loss\":4}\r\n");
        Assert.That((summary.Steps, summary.DamagedLines, summary.LastLoss), Is.EqualTo((3, 0, 4f)));
        Assert.That(summary.Course, Is.EqualTo(new[] { double.NaN, double.NaN, 4 }));
        Assert.That(new[] { summary.Seconds, summary.ImagesPerSecond, summary.ImagesPerSecondLately }, Has.All.NaN);
    }

    [Test]
    public void A_missing_or_empty_file_has_no_steps()
    {
        foreach (var summary in new[] { MetricsSummary.Read(At("none"), ImagesPerStep), Read("") })
        {
            Assert.That((summary.Steps, summary.LastStep, summary.Course.Count, summary.IsTorn), Is.EqualTo((0, 0L, 0, false)));
            Assert.That(new[] { summary.FirstLoss, summary.LastLoss, summary.Seconds, summary.SecondsPerStepLately }, Has.All.NaN);
        }
    }
}
