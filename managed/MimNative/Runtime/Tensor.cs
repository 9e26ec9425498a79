using System.Text;
using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>
/// A typed, strided view of memory that a <see cref="Step"/>, a <see cref="ParameterStore"/> or a <see cref="DeviceBuffer"/>
/// owns. Copying a tensor copies the view, not the numbers. The default value is the absent tensor.
/// </summary>
public readonly unsafe struct Tensor
{
    internal readonly mim_view View;

    private Tensor(mim_view view) => View = view;

    /// <summary>No tensor: what optional arguments are when they are not given.</summary>
    public static Tensor None => default;

    /// <summary>Whether this is <see cref="None"/>.</summary>
    public bool IsAbsent => View.data == null;

    /// <summary>How many axes.</summary>
    public int Rank => View.rank;

    /// <summary>The element type.</summary>
    public DType Type => (DType)View.dtype;

    /// <summary>Extent of an axis; negative axes count from the last.</summary>
    public long this[int axis] => View.shape[Axis(axis < 0 ? axis + View.rank : axis)];

    /// <summary>How many elements.</summary>
    public long Count
    {
        get
        {
            long count = 1;
            for (var i = 0; i < View.rank; i++)
            {
                count *= View.shape[i];
            }
            return count;
        }
    }

    /// <summary>The extents, outermost first.</summary>
    public long[] Shape
    {
        get
        {
            var shape = new long[View.rank];
            for (var i = 0; i < shape.Length; i++)
            {
                shape[i] = View.shape[i];
            }
            return shape;
        }
    }

    /// <summary>How many elements a tensor of these extents has.</summary>
    internal static long CountOf(ReadOnlySpan<long> shape)
    {
        if (shape.Length is < 1 or > Mim.MIM_MAX_RANK)
        {
            throw new ArgumentException($"a tensor has 1 to {Mim.MIM_MAX_RANK} axes, not {shape.Length}");
        }
        long count = 1;
        foreach (var extent in shape)
        {
            if (extent < 1)
            {
                throw new ArgumentException($"a tensor has extents of at least 1, not ({string.Join(", ", shape.ToArray())})");
            }
            count = checked(count * extent);
        }
        return count;
    }

    internal static Tensor Dense(DeviceKind device, DType type, void* data, params ReadOnlySpan<long> shape)
    {
        CountOf(shape);
        var view = new mim_view
        {
            size = sizeof(mim_view),
            dtype = (int)type,
            device = (int)device,
            rank = shape.Length,
            data = data,
        };
        long stride = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            view.shape[i] = shape[i];
            view.stride[i] = stride;
            stride = checked(stride * shape[i]);
        }
        return new Tensor(view);
    }

    /// <summary>The same numbers with other extents; one extent may be -1 and follows from the others. Dense only.</summary>
    public Tensor Reshape(params ReadOnlySpan<long> shape)
    {
        RequireDense();
        Span<long> extents = stackalloc long[shape.Length];
        shape.CopyTo(extents);
        var open = extents.IndexOf(-1);
        if (open >= 0)
        {
            long others = 1;
            for (var i = 0; i < shape.Length; i++)
            {
                others *= i == open ? 1 : shape[i];
            }
            if (others < 1 || Count % others != 0)
            {
                throw new ArgumentException($"{this} cannot be reshaped to ({string.Join(", ", shape.ToArray())})");
            }
            extents[open] = Count / others;
        }
        var result = Dense((DeviceKind)View.device, Type, View.data, extents);
        if (result.Count != Count)
        {
            throw new ArgumentException($"{this} cannot be reshaped to {result}");
        }
        return result;
    }

    /// <summary>All axes but the last made one: (R, C).</summary>
    public Tensor Rows() => Reshape(-1, this[-1]);

    /// <summary>The part [<paramref name="begin"/>, begin + <paramref name="count"/>) along an axis.</summary>
    public Tensor Slice(int axis, long begin, long count)
    {
        if (begin < 0 || count < 1 || count > View.shape[Axis(axis)] - begin)
        {
            throw new ArgumentOutOfRangeException(
                nameof(begin), $"{count} places from {begin} on along axis {axis} leave {this}");
        }
        var view = View;
        view.data = (byte*)view.data + begin * view.stride[axis] * Type.Bytes();
        view.shape[axis] = count;
        return new Tensor(view);
    }

    /// <summary>One place along an axis, which goes away.</summary>
    public Tensor At(int axis, long index)
    {
        if (Rank == 1)
        {
            throw new InvalidOperationException($"{this} has one axis, which cannot go away; slice it");
        }
        var view = Slice(axis, index, 1).View;
        for (var i = axis; i + 1 < view.rank; i++)
        {
            view.shape[i] = view.shape[i + 1];
            view.stride[i] = view.stride[i + 1];
        }
        view.rank--;
        return new Tensor(view);
    }

    /// <summary>The axes in another order: axis i of the result is axis <c>axes[i]</c> of this.</summary>
    public Tensor Permute(params ReadOnlySpan<int> axes)
    {
        if (axes.Length != Rank)
        {
            throw new ArgumentException($"{axes.Length} axes given for {this}");
        }
        var view = View;
        for (var i = 0; i < axes.Length; i++)
        {
            if (axes[..i].Contains(axes[i]))
            {
                throw new ArgumentException($"axis {axes[i]} of {this} is named twice");
            }
            view.shape[i] = View.shape[Axis(axes[i])];
            view.stride[i] = View.stride[axes[i]];
        }
        return new Tensor(view);
    }

    /// <summary>The elements, of a dense tensor on the CPU.</summary>
    public Span<T> Span<T>() where T : unmanaged
    {
        RequireDense();
        if (View.device != (int)DeviceKind.Cpu || Type != DTypes.Of<T>())
        {
            throw new InvalidOperationException($"{this} cannot be read as {typeof(T).Name} in host memory");
        }
        return new Span<T>(View.data, checked((int)Count));
    }

    /// <summary>The element of a tensor of one f32 element on the CPU.</summary>
    public float Scalar() => Span<float>()[0];

    /// <summary>For people: dtype and extents.</summary>
    public override string ToString()
    {
        if (IsAbsent)
        {
            return "none";
        }
        var text = new StringBuilder(Type.ToString().ToLowerInvariant()).Append(" (");
        for (var i = 0; i < Rank; i++)
        {
            text.Append(i > 0 ? ", " : "").Append(View.shape[i]);
        }
        return text.Append(')').ToString();
    }

    private int Axis(int axis) =>
        axis >= 0 && axis < View.rank
            ? axis
            : throw new ArgumentOutOfRangeException(nameof(axis), axis, $"{this} has no such axis");

    private void RequireDense()
    {
        long expected = 1;
        for (var i = View.rank - 1; i >= 0; i--)
        {
            if (View.shape[i] != 1 && View.stride[i] != expected)
            {
                throw new InvalidOperationException($"{this} is not dense");
            }
            expected *= View.shape[i];
        }
    }
}
