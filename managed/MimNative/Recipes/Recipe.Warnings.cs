using System.Globalization;

namespace MimNative.Recipes;

public sealed partial record Recipe
{
    /// <summary>
    /// What is allowed and can be trained, but is hardly what was meant: a sentence each. Lengths in epochs stay behind when a run is made
    /// shorter.
    /// </summary>
    public IReadOnlyList<string> Warnings() => (WarmupWarning() ?? MilestonesWarning()) is { } warning ? [warning] : [];

    /// <summary>Said where the warm-up leaves little of the run or nothing; published runs warm up for a twentieth or a tenth.</summary>
    internal string? WarmupWarning()
    {
        if (Train.WarmupEpochs <= Train.Epochs / 2.0)
        {
            return null;
        }
        var what = Train.WarmupEpochs < Train.Epochs
            ? "most of the run warms up: the learning rate still rises behind the middle"
            : "the whole run warms up: the learning rate rises to the end and never falls";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{what} (train.warmup_epochs is {Train.WarmupEpochs:0.###}, train.epochs {Train.Epochs}); " +
            $"a twentieth is usual: train.warmup_epochs={Train.Epochs / 20.0:0.##}");
    }

    private string? MilestonesWarning() =>
        Train.Schedule == ScheduleKind.MultiStep && Train.Milestones.Count > 0 && Train.Milestones[0] >= Train.Epochs
            ? $"the learning rate never falls: the first of train.milestones is epoch {Train.Milestones[0]}, and train.epochs {Train.Epochs}"
            : null;
}
