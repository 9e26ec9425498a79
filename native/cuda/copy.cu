// Copy and fill on the GPU. What lies in host memory goes over densely, packed on the host where it
// is strided; dtypes are converted on the device.
#include <algorithm>
#include <cstring>
#include <vector>

#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

struct strides {
    int32_t rank;
    int64_t shape[MIM_MAX_RANK], to[MIM_MAX_RANK], from[MIM_MAX_RANK];
};

strides strides_of(const view& to, const view& from) {
    strides s = {to.rank, {}, {}, {}};
    for (int32_t i = 0; i < to.rank; ++i) {
        s.shape[i] = to.shape[i];
        s.to[i] = to.stride[i];
        s.from[i] = from.stride[i];
    }
    return s;
}

// One thread an element, in row-major order of the shape.
template <class To, class From>
__global__ void copy_kernel(To* to, const From* from, strides s, int64_t count) {
    const int64_t i = int64_t(blockIdx.x) * block + threadIdx.x;
    if (i >= count) return;
    int64_t left = i, t = 0, f = 0;
    for (int32_t axis = s.rank - 1; axis >= 0; --axis) {
        const int64_t index = left % s.shape[axis];
        left /= s.shape[axis];
        t += index * s.to[axis];
        f += index * s.from[axis];
    }
    if constexpr (std::is_same_v<To, From>)
        to[t] = from[f];
    else
        to[t] = To(float(from[f]));
}

template <class T>
__global__ void fill_kernel(T* y, T value, int64_t count) {
    const int64_t i = int64_t(blockIdx.x) * block + threadIdx.x;
    if (i < count) y[i] = value;
}

// The same elements, dense, somewhere else.
view dense_like(const view& v, int32_t device, void* memory) {
    view dense = v;
    dense.device = device;
    dense.data = memory;
    int64_t stride = 1;
    for (int32_t i = v.rank - 1; i >= 0; --i) {
        dense.stride[i] = stride;
        stride *= v.shape[i];
    }
    return dense;
}

int64_t bytes_of(const view& v) {
    return elements(v) * dtype_bytes(v.dtype);
}

// Host memory, strided, to or from dense bytes.
void walk_host(const view& v, char* dense, bool gather) {
    const int64_t size = dtype_bytes(v.dtype), count = elements(v);
    for (int64_t i = 0; i < count; ++i) {
        int64_t left = i, at = 0;
        for (int32_t axis = v.rank - 1; axis >= 0; --axis) {
            at += left % v.shape[axis] * v.stride[axis];
            left /= v.shape[axis];
        }
        char* element = data<char>(v) + at * size;
        if (gather)
            std::memcpy(dense + i * size, element, size_t(size));
        else
            std::memcpy(element, dense + i * size, size_t(size));
    }
}

}  // namespace

void gpu::copy(context& ctx, const view& dst, const view& src) {
    const bool to_host = dst.device == MIM_CPU, from_host = src.device == MIM_CPU;
    const bool simple = dst.dtype == src.dtype && is_dense(dst) && is_dense(src);
    const bool on_device = !to_host && !from_host;
    // what travels lies densely on the device
    const bool staged = on_device ? simple && overlap(dst, src) : !simple;
    void* stage =
        staged ? ctx.scratch<char>(bytes_of(from_host || on_device ? src : dst)) : nullptr;
    if (ctx.planning()) return;
    if (to_host) require_no_step("copying to host memory");
    if (to_host && from_host) fail_unsupported("mim_copy from host to host needs a CPU context");
    if (simple) {
        if (staged) {
            copy_dense(stage, src.data, bytes_of(src), false);
            return copy_dense(dst.data, stage, bytes_of(src), false);
        }
        return copy_dense(dst.data, src.data, bytes_of(src), from_host);
    }
    if (on_device) return copy_on_device(dst, src);
    if (from_host) {
        std::vector<char> packed(size_t(bytes_of(src)));
        walk_host(src, packed.data(), /*gather=*/true);
        copy_dense(stage, packed.data(), bytes_of(src), true);
        return copy_on_device(dst, dense_like(src, MIM_CUDA, stage));
    }
    copy_on_device(dense_like(dst, MIM_CUDA, stage), src);
    std::vector<char> packed(size_t(bytes_of(dst)));
    copy_dense(packed.data(), stage, bytes_of(dst), false);
    cuda::synchronize(stream_);
    walk_host(dst, packed.data(), /*gather=*/false);
}

void gpu::copy_dense(void* to, const void* from, int64_t bytes, bool from_host) {
    const void* source = from_host ? step_.staged(from, bytes) : from;
    if (step_.takes(to, source, bytes)) copy_bytes(to, source, bytes, stream_);
}

void gpu::copy_on_device(const view& dst, const view& src) {
    const int64_t count = elements(dst);
    const auto run = [&](auto to, auto from) {
        using To = decltype(to);
        using From = decltype(from);
        launch({blocks_for(count, block), block}, copy_kernel<To, From>, data<To>(dst),
               static_cast<const From*>(data<From>(src)), strides_of(dst, src), count);
    };
    if (dst.dtype == MIM_BF16 && src.dtype == MIM_F32) return run(bf16{}, float{});
    if (dst.dtype == MIM_F32 && src.dtype == MIM_BF16) return run(float{}, bf16{});
    switch (dtype_bytes(dst.dtype)) {
        case 1:
            return run(uint8_t{}, uint8_t{});
        case 2:
            return run(uint16_t{}, uint16_t{});
        case 4:
            return run(uint32_t{}, uint32_t{});
        default:
            return run(uint64_t{}, uint64_t{});
    }
}

void gpu::fill(context& ctx, const view& y, float value) {
    if (ctx.planning()) return;
    const int64_t count = elements(y);
    dispatch_dtype(y.dtype, [&](auto tag) {
        using T = decltype(tag);
        launch({blocks_for(count, block), block}, fill_kernel<T>, data<T>(y), T(value), count);
    });
}

}  // namespace mim::cuda
