using System.Text.Json;
using System.Text.Json.Serialization;
using MimNative.Export;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>
/// Where a training run stands: with the parameters and the optimiser's moments, all that is needed to
/// continue as if it had never stopped. Masks, crops and the order of the data follow from the seed and these
/// counters alone. Stored as a checkpoint's state.json, in which no field may be missing but the device.
/// </summary>
public sealed record RunState
{
    /// <summary>The version of the file that this program writes, and the newest that it reads.</summary>
    public const int CurrentVersion = 2;

    /// <summary>The version of the file's layout.</summary>
    [JsonRequired]
    public int FormatVersion { get; init; } = CurrentVersion;

    /// <summary>Optimiser steps done since the start of the run.</summary>
    public required long Step { get; init; }

    /// <summary>The epoch that the next step belongs to, from 0.</summary>
    public required int Epoch { get; init; }

    /// <summary>Optimiser steps of that epoch already done.</summary>
    public required int StepInEpoch { get; init; }

    /// <summary>
    /// Micro-steps already accumulated towards the next step. 0 at a step's end, the only place where
    /// checkpoints are made now.
    /// </summary>
    [JsonRequired]
    public int MicroStep { get; init; }

    /// <summary>Images seen since the start of the run, each view counted.</summary>
    [JsonRequired]
    public long SamplesSeen { get; init; }

    /// <summary>The seed of every random draw.</summary>
    public required ulong Seed { get; init; }

    /// <summary>
    /// F32 or bf16, as <c>train.precision</c> was resolved when the run began: it goes on in the same numbers, whatever the device that it
    /// goes on with. Runs of version 1 computed in f32.
    /// </summary>
    public Precision Precision { get; init; }

    /// <summary>The device that computed the latest steps, for people; null where an earlier version wrote the file.</summary>
    public string? Device { get; init; }

    /// <summary>Sum of the losses of the epoch so far; with LossCount its running average.</summary>
    [JsonRequired]
    public double LossSum { get; init; }

    /// <summary>Number of losses in LossSum.</summary>
    [JsonRequired]
    public long LossCount { get; init; }

    /// <summary>The recipe's name.</summary>
    [JsonRequired]
    public string Recipe { get; init; } = "";

    /// <summary>The recipe's hash; a resumed run must have the same.</summary>
    [JsonRequired]
    public string RecipeHash { get; init; } = "";

    /// <summary>
    /// What the data source has to find again: its kind, number of images, a hash of their list, and
    /// whatever else fixes the order.
    /// </summary>
    [JsonRequired]
    public IReadOnlyDictionary<string, string> Data { get; init; } = new Dictionary<string, string>();

    internal void Write(Stream stream) =>
        JsonSerializer.Serialize(stream, this, RunStateJson.Default.RunState);

    /// <summary>Reads a state.json.</summary>
    /// <exception cref="InvalidFileException">It is missing, damaged, or of a newer version.</exception>
    public static RunState Read(string path)
    {
        RunState state;
        try
        {
            using FileStream stream = File.OpenRead(path);
            state = JsonSerializer.Deserialize(stream, RunStateJson.Default.RunState)
                ?? throw new InvalidFileException(path, "the file holds null instead of a run's state.");
        }
        catch (JsonException failure)
        {
            throw new InvalidFileException(
                path, $"not a run's state: {failure.Message.TrimEnd('.')}.", failure);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidFileException(path, "there is no such file.", failure);
        }
        catch (Exception failure) when (DiskFailure.Is(failure))
        {
            throw new InvalidFileException(
                path, $"cannot be read: {failure.Message.TrimEnd('.')}.", failure);
        }
        state.Check(path);
        return state.FormatVersion == 1 ? state with { FormatVersion = CurrentVersion, Precision = Precision.F32 } : state;
    }

    /// <summary>Requires that the counters agree, for a run with so many optimiser steps an epoch.</summary>
    /// <exception cref="InvalidFileException">They do not; <paramref name="path"/> is where the state was read.</exception>
    internal void RequireConsistent(long stepsPerEpoch, string path)
    {
        if (MicroStep != 0 || StepInEpoch >= stepsPerEpoch || Step != (Epoch * stepsPerEpoch) + StepInEpoch)
        {
            throw new InvalidFileException(path,
                $"epoch {Epoch}, step_in_epoch {StepInEpoch} and micro_step {MicroStep} do not make step {Step}, "
                + $"with {stepsPerEpoch} steps an epoch.");
        }
    }

    private void Check(string path)
    {
        if (FormatVersion is < 1 or > CurrentVersion)
        {
            throw new InvalidFileException(path,
                $"format_version should be 1 to {CurrentVersion}, but is {FormatVersion}; "
                + "was it written by a newer version of this program?");
        }
        foreach ((string name, long value) in new (string, long)[]
        {
            ("step", Step), ("epoch", Epoch), ("step_in_epoch", StepInEpoch), ("micro_step", MicroStep),
            ("samples_seen", SamplesSeen), ("loss_count", LossCount),
        })
        {
            if (value < 0)
            {
                throw new InvalidFileException(path, $"{name} should not be negative, but is {value}.");
            }
        }
        if (FormatVersion > 1 && Precision == Precision.Auto)
        {
            throw new InvalidFileException(path, "precision should be f32 or bf16, but is missing or auto.");
        }
        if (Recipe is null || RecipeHash is null || Data is null || Data.Values.Contains(null))
        {
            throw new InvalidFileException(path, "recipe, recipe_hash and data should not be null.");
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunState))]
internal sealed partial class RunStateJson : JsonSerializerContext;
