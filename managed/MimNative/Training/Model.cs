using MimNative.Export;
using MimNative.Methods;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>A recipe's method with its parameters, on a device: what is trained, saved, loaded and looked at.</summary>
public sealed class Model : IDisposable
{
    /// <summary>A model with initial weights: a function of the recipe and its seed.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="context">The device.</param>
    /// <param name="compute">The element type that it is trained in: see <see cref="Precisions"/>.</param>
    public Model(Recipe recipe, Context context, DType compute = DType.F32)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        Recipe = recipe;
        Context = context;
        Compute = compute;
        Method = Catalog.Create(Store.Root, recipe);
        Store.Allocate(context, compute);
        using var step = new Step(context);
        Store.Initialize(unchecked((long)recipe.Train.Seed), step);
    }

    /// <summary>The recipe.</summary>
    public Recipe Recipe { get; }

    /// <summary>The device.</summary>
    public Context Context { get; }

    /// <summary>The element type that it is trained in. Pictures are made, and weights saved, in f32.</summary>
    public DType Compute { get; }

    /// <summary>The method.</summary>
    public IMethod Method { get; }

    /// <summary>All parameters under their upstream names.</summary>
    public ParameterStore Store { get; } = new();

    /// <summary>The parameters as a checkpoint's tensors, encoder and decoder, fixed tables too.</summary>
    public IEnumerable<SafetensorsTensor> Tensors() => Store.Parameters.Select(p => FromDevice(p.Name, p.Shape, p.Value));

    /// <summary>The parameters that remain after pretraining, the encoder's, under the names of an encoder on its own.</summary>
    public IEnumerable<SafetensorsTensor> EncoderTensors() => Store.Parameters
        .Select(p => (Parameter: p, Name: Method.EncoderName(p.Name)))
        .Where(p => p.Name is not null)
        .Select(p => FromDevice(p.Name!, p.Parameter.Shape, p.Parameter.Value));

    /// <summary>The moments of the optimiser as a checkpoint's tensors: <c>{name}.exp_avg</c>, <c>{name}.exp_avg_sq</c>.</summary>
    public IEnumerable<SafetensorsTensor> Moments() => Store.Parameters.Where(p => p.IsTrainable).SelectMany(p => new[]
    {
        FromDevice($"{p.Name}.exp_avg", p.Shape, ParameterStore.Part(Store.Moment1, p)),
        FromDevice($"{p.Name}.exp_avg_sq", p.Shape, ParameterStore.Part(Store.Moment2, p)),
    });

    /// <summary>Reads every parameter from a file.</summary>
    /// <exception cref="InvalidFileException">The file is of another model, or damaged.</exception>
    public void Load(SafetensorsFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        foreach (var extra in file.Entries.Where(e => !Store.Contains(e.Name) && !Method.Ignores(e.Name)).Take(1))
        {
            throw new InvalidFileException(
                file.Path, $"tensor '{extra.Name}' is no parameter of the model of recipe '{Recipe.Name}'");
        }
        foreach (var parameter in Store.Parameters)
        {
            Read(file, parameter.Name, parameter, parameter.Value);
        }
        using var step = new Step(Context);
        Store.Round(step);
    }

    /// <summary>Reads the optimiser's moments from a file.</summary>
    /// <exception cref="InvalidFileException">The file is of another model, or damaged.</exception>
    public void LoadMoments(SafetensorsFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        foreach (var parameter in Store.Parameters.Where(p => p.IsTrainable))
        {
            Read(file, $"{parameter.Name}.exp_avg", parameter, ParameterStore.Part(Store.Moment1, parameter));
            Read(file, $"{parameter.Name}.exp_avg_sq", parameter, ParameterStore.Part(Store.Moment2, parameter));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Store.Dispose();

    private void Read(SafetensorsFile file, string name, Parameter parameter, Tensor to)
    {
        if (!file.Contains(name))
        {
            throw new InvalidFileException(
                file.Path, $"tensor '{name}' is missing, which the model of recipe '{Recipe.Name}' needs");
        }
        var shape = file[name].Shape;
        if (!shape.SequenceEqual(parameter.Shape))
        {
            throw new InvalidFileException(
                file.Path,
                $"tensor '{name}' has shape ({string.Join(", ", shape)}), the model of recipe '{Recipe.Name}' expects " +
                $"({string.Join(", ", parameter.Shape)})");
        }
        using var step = new Step(Context);
        step.Upload<float>(file.ReadFloats(name), to);
    }

    // Asked for piece by piece, so that a large model is never in memory twice.
    private SafetensorsTensor FromDevice(string name, IReadOnlyList<long> shape, Tensor tensor) =>
        new(name, SafetensorsType.F32, shape, (offset, bytes) =>
        {
            using var step = new Step(Context);
            var part = tensor.Reshape(-1).Slice(0, offset / sizeof(float), bytes.Length / sizeof(float));
            step.Download(part, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes));
        });
}
