// Masked depthwise convolution on the GPU. A thread has n neighbouring channels (one, or a pair of
// bf16) of a strip of neighbouring columns and walks down the rows of a band. Weights, and the sums
// of the k rows of results that a row of x takes part in, stay in its registers: a row of a strip is
// read once, strip + k - 1 values for strip k k products, and what neighbours read again comes out of
// the level 1 cache. A warp reads 32 n neighbouring channels.
#include <algorithm>
#include <type_traits>

#include "cuda/column_sums.h"
#include "cuda/gpu.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

constexpr int lanes = 32, most_warps = 8;

template <int k>
constexpr int strip_of = k <= 5 ? 4 : 2;  // columns; registers bound it
template <class T, int k>
constexpr int most_channels = sizeof(T) == 2 && k <= 5 ? 2 : 1;  // of a thread

// n neighbouring channels in one access.
template <int n, class T>
__device__ void load_channels(float (&to)[n], const T* from) {
    if constexpr (n == 2) {
        const auto word = load_vector<uint32_t, 1>(reinterpret_cast<const uint32_t*>(from));
        const float_pair pair = unpack(word[0]);
        to[0] = pair.low;
        to[1] = pair.high;
    } else {
        to[0] = float(from[0]);
    }
}
template <int n, class T>
__device__ void store_channels(T* to, const float (&from)[n]) {
    if constexpr (n == 2) {
        vector<uint32_t, 1> word;
        word[0] = pack(from[0], from[1]);
        store_vector(reinterpret_cast<uint32_t*>(to), word);
    } else {
        to[0] = T(from[0]);
    }
}

// How maps (B, H, W, C) are divided. It depends on the shape and the dtype alone, so the same shape
// gives the same bits.
struct map_split {
    static constexpr int64_t wanted_warps = 132 * 32, least_band = 8;  // 32 a multiprocessor
    static constexpr int64_t wanted_blocks = 132 * 4;

    int64_t batch, height, width, channels, kernel;
    int64_t strips, warps, rounds;  // strips of a row; a block has `warps` of them at once
    int64_t groups;  // of channels, 32 threads each, with as many as a thread can have
    int64_t bands, rows_per_band;  // of a map
    int64_t parts;                 // of all bands of all maps, whose gradients are summed together

    map_split(const view& x, int64_t kernel)
        : batch(x.shape[0]),
          height(x.shape[1]),
          width(x.shape[2]),
          channels(x.shape[3]),
          kernel(kernel) {
        if (std::max({height, width, channels}) > 0xffff || batch > 0x7fffffff / height)
            fail_unsupported("a map of tokens is too large for one CUDA launch");
        const int64_t strip = kernel <= 5 ? strip_of<5> : strip_of<7>;
        strips = (width + strip - 1) / strip;
        rounds = (strips + most_warps - 1) / most_warps;
        warps = (strips + rounds - 1) / rounds;
        const int64_t most = x.dtype == MIM_BF16 && kernel <= 5 ? 2 : 1;
        groups = (channels + lanes * most - 1) / (lanes * most);
        const int64_t wanted = wanted_warps / (batch * strips * groups);
        const int64_t most_bands = (height + least_band - 1) / least_band;
        bands = std::clamp<int64_t>(wanted, 1, most_bands);
        rows_per_band = (height + bands - 1) / bands;
        bands = (height + rows_per_band - 1) / rows_per_band;
        parts = std::clamp<int64_t>(wanted_blocks / groups, 1, batch * bands);
    }

    int64_t taps() const { return kernel * kernel; }
};

// Where a thread stands, and what of a row it reads.
template <class T, int k, int n>
struct strip_walk {
    static constexpr int radius = k / 2, strip = strip_of<k>, reach = strip + k - 1;

    int height, width, channels;
    int channel, column;  // the first of its n channels, of its strip
    bool stands;          // on the map, with channels of its own

    __device__ strip_walk(int height, int width, int channels, int group, int strip_index)
        : height(height),
          width(width),
          channels(channels),
          channel((group * lanes + int(threadIdx.x)) * n),
          column(strip_index * strip),
          stands(channel < channels && column < width) {}

    __device__ int64_t token(int64_t image, int row) const {
        return (image * height + row) * width;
    }

    // `count` tokens of a row from column `first` on, times keep; zeros outside of the map.
    template <int count>
    __device__ void load_row(float (&values)[count][n], const T* x, const float* keep,
                             int64_t image, int row, int first) const {
        const bool inside = row >= 0 && row < height;
#pragma unroll
        for (int j = 0; j < count; ++j) {
            const int at = first + j;
#pragma unroll
            for (int i = 0; i < n; ++i) values[j][i] = 0;
            if (!inside || at < 0 || at >= width) continue;
            load_channels(values[j], x + (token(image, row) + at) * channels + channel);
            if (keep == nullptr) continue;
            const float factor = keep[token(image, row) + at];
#pragma unroll
            for (int i = 0; i < n; ++i) values[j][i] *= factor;
        }
    }
};

// grid (B * bands, rounds, ceil(C / (32 n))), block (32, warps): a warp has one strip. The row of x
// that is read, t, belongs to results t + radius - p with row p of the kernel: sums[p]. From row to
// row each sum moves on by one p, and the last is complete. `around` turns the kernel by half a
// circle, for the gradient of x.
template <class T, int k, int n>
__global__ void __launch_bounds__(lanes* most_warps)
    convolve_kernel(T* y, const T* x, const float* w, const float* bias, const float* keep_x,
                    const float* keep_y, bool around, int height, int width, int channels,
                    int bands, int rows_per_band) {
    using walk_type = strip_walk<T, k, n>;
    constexpr int radius = walk_type::radius, strip = walk_type::strip, taps = k * k;
    const walk_type walk(height, width, channels, int(blockIdx.z),
                         int(blockIdx.y * blockDim.y + threadIdx.y));
    const int64_t image = blockIdx.x / unsigned(bands);
    const int begin = int(blockIdx.x % unsigned(bands)) * rows_per_band;
    const int end = begin + rows_per_band < height ? begin + rows_per_band : height;

    // the weights of the block's channels lie together; k k is odd, so lanes meet in no bank
    block_memory memory;
    float* shared = memory.take<float>(lanes * n * taps);
    const int first = int(blockIdx.z) * lanes * n;
    const int present = (channels - first < lanes * n ? channels - first : lanes * n) * taps;
    for (int i = int(threadIdx.y) * lanes + int(threadIdx.x); i < present;
         i += int(blockDim.y) * lanes)
        shared[i] = w[int64_t(first) * taps + i];
    wait_block();
    if (!walk.stands) return;

    float weights[taps][n], start[n], sums[k][strip][n];
#pragma unroll
    for (int i = 0; i < n; ++i) {
        const float* own = shared + (int(threadIdx.x) * n + i) * taps;
#pragma unroll
        for (int tap = 0; tap < taps; ++tap) weights[tap][i] = own[around ? taps - 1 - tap : tap];
        start[i] = bias == nullptr ? 0.0f : bias[walk.channel + i];
    }
#pragma unroll
    for (int p = 0; p < k; ++p)
#pragma unroll
        for (int j = 0; j < strip; ++j)
#pragma unroll
            for (int i = 0; i < n; ++i) sums[p][j][i] = start[i];

    for (int t = begin - radius; t < end + radius; ++t) {
        float values[walk_type::reach][n];
        walk.load_row(values, x, keep_x, image, t, walk.column - radius);
#pragma unroll
        for (int p = k - 1; p >= 0; --p)
#pragma unroll
            for (int j = 0; j < strip; ++j)
#pragma unroll
                for (int i = 0; i < n; ++i) {
                    float sum = p > 0 ? sums[p > 0 ? p - 1 : 0][j][i] : start[i];
#pragma unroll
                    for (int q = 0; q < k; ++q) sum += weights[p * k + q][i] * values[j + q][i];
                    sums[p][j][i] = sum;
                }
        const int row = t - radius;
        if (row < begin) continue;
#pragma unroll
        for (int j = 0; j < strip; ++j) {
            const int column = walk.column + j;
            if (column >= width) continue;
            const int64_t token = walk.token(image, row) + column;
            if (keep_y != nullptr) {
                const float factor = keep_y[token];
#pragma unroll
                for (int i = 0; i < n; ++i) sums[k - 1][j][i] *= factor;
            }
            store_channels(y + token * channels + walk.channel, sums[k - 1][j]);
        }
    }
}

// grid (parts, ceil(C / (32 n))), block (32, warps): the warps of a block take the strips of every
// parts-th band of the maps, a strip of dy each with the x around it; their sums are then added in
// their order. Row t of x meets row t + radius - p of dy in row p of the kernel: rows[p], which move
// on by one p from row to row.
template <class T, int k, int n>
__global__ void __launch_bounds__(lanes* most_warps, k <= 5 ? 2 : 1)
    sum_gradients_kernel(float* weight_parts, float* bias_parts, const T* dy, const T* x,
                         const float* keep, int64_t maps_bands, int height, int width, int channels,
                         int bands, int rows_per_band, int strips) {
    using walk_type = strip_walk<T, k, n>;
    constexpr int radius = walk_type::radius, strip = walk_type::strip, taps = k * k;
    float sums[taps][n] = {}, bias_sums[n] = {};
    for (int64_t band = blockIdx.x; band < maps_bands; band += gridDim.x) {
        const int64_t image = band / bands;
        const int begin = int(band - image * bands) * rows_per_band;
        const int end = begin + rows_per_band < height ? begin + rows_per_band : height;
        for (int s = int(threadIdx.y); s < strips; s += int(blockDim.y)) {
            const walk_type walk(height, width, channels, int(blockIdx.y), s);
            if (!walk.stands) continue;
            float rows[k][strip][n] = {};
            for (int t = begin - radius; t < end + radius; ++t) {
#pragma unroll
                for (int p = k - 1; p > 0; --p)
#pragma unroll
                    for (int j = 0; j < strip; ++j)
#pragma unroll
                        for (int i = 0; i < n; ++i) rows[p][j][i] = rows[p - 1][j][i];
                // a row behind the band's end counts in the next one
                walk.load_row(rows[0], dy, nullptr, image, t + radius < end ? t + radius : -1,
                              walk.column);
                float values[walk_type::reach][n];
                walk.load_row(values, x, keep, image, t, walk.column - radius);
#pragma unroll
                for (int i = 0; i < n; ++i)
#pragma unroll
                    for (int j = 0; j < strip; ++j) {
                        bias_sums[i] += rows[0][j][i];
#pragma unroll
                        for (int p = 0; p < k; ++p)
#pragma unroll
                            for (int q = 0; q < k; ++q)
                                sums[p * k + q][i] += rows[p][j][i] * values[j + q][i];
                    }
            }
        }
    }

    // one row of sums a channel: its taps; behind them all, those of the bias
    block_memory memory;
    float* shared = memory.take<float>(lanes * n * (taps + 1));
    for (unsigned warp = 0; warp < blockDim.y; ++warp) {
        if (threadIdx.y == warp)
#pragma unroll
            for (int i = 0; i < n; ++i) {
                const int own = int(threadIdx.x) * n + i;
                float* of_bias = shared + lanes * n * taps + own;
                *of_bias = warp == 0 ? bias_sums[i] : *of_bias + bias_sums[i];
#pragma unroll
                for (int tap = 0; tap < taps; ++tap) {
                    float* sum = shared + own * taps + tap;
                    *sum = warp == 0 ? sums[tap][i] : *sum + sums[tap][i];
                }
            }
        wait_block();
    }
    const int first = int(blockIdx.y) * lanes * n;
    const int present = channels - first < lanes * n ? channels - first : lanes * n;
    const int thread = int(threadIdx.y) * lanes + int(threadIdx.x);
    if (weight_parts != nullptr)
        for (int i = thread; i < present * taps; i += int(blockDim.y) * lanes)
            weight_parts[(int64_t(blockIdx.x) * channels + first) * taps + i] = shared[i];
    if (bias_parts != nullptr)
        for (int i = thread; i < present; i += int(blockDim.y) * lanes)
            bias_parts[int64_t(blockIdx.x) * channels + first + i] = shared[lanes * n * taps + i];
}

template <int value>
using constant = std::integral_constant<int, value>;

// Calls body with a value of the storage type, k and n: pairs of channels where they lie in words.
template <class Body>
void dispatch(const map_split& split, int32_t dtype, std::initializer_list<const void*> addresses,
              Body&& body) {
    const bool pairs = split.channels % 2 == 0 && aligned_to_vectors(addresses);
    dispatch_dtype(dtype, [&](auto tag) {
        using T = decltype(tag);
        const auto with_kernel = [&](auto kernel) {
            constexpr int most = most_channels<T, decltype(kernel)::value>;
            if (most > 1 && pairs)
                body(tag, kernel, constant<most>{});
            else
                body(tag, kernel, constant<1>{});
        };
        switch (split.kernel) {
            case 1:
                return with_kernel(constant<1>{});
            case 3:
                return with_kernel(constant<3>{});
            case 5:
                return with_kernel(constant<5>{});
            case 7:
                return with_kernel(constant<7>{});
            case 9:
                return with_kernel(constant<9>{});
            default:
                return with_kernel(constant<11>{});
        }
    });
}

void convolve(gpu& device, const map_split& split, const view& y, const view& x, const view& w,
              const view* bias, const view* keep_x, const view* keep_y, bool around) {
    dispatch(split, x.dtype, {x.data, y.data}, [&](auto tag, auto kernel, auto channels) {
        using T = decltype(tag);
        constexpr int k = decltype(kernel)::value, n = decltype(channels)::value;
        device.launch(
            {{blocks_for(split.batch * split.bands, 1), unsigned(split.rounds),
              blocks_for(split.channels, lanes * n)},
             {unsigned(lanes), unsigned(split.warps)},
             shared_bytes<float>(lanes * n * k * k)},
            convolve_kernel<T, k, n>, data<T>(y), static_cast<const T*>(data<T>(x)),
            static_cast<const float*>(data<float>(w)), static_cast<const float*>(data<float>(bias)),
            static_cast<const float*>(data<float>(keep_x)),
            static_cast<const float*>(data<float>(keep_y)), around, int(split.height),
            int(split.width), int(split.channels), int(split.bands), int(split.rows_per_band));
    });
}

}  // namespace

void gpu::depthwise_conv_forward(context& ctx, const view& y, const view& x, const view& w,
                                 const view* bias, const view* keep,
                                 const mim_depthwise_conv_params& params) {
    const map_split split(x, params.kernel);
    if (ctx.planning()) return;
    convolve(*this, split, y, x, w, bias, keep, nullptr, /*around=*/false);
}

void gpu::depthwise_conv_backward(context& ctx, const view* dx, const view* dw, const view* dbias,
                                  const view& dy, const view& x, const view& w, const view* keep,
                                  const mim_depthwise_conv_params& params) {
    const map_split split(x, params.kernel);
    const auto weights =
        column_sums::of_parts(ctx, split.parts, split.channels * split.taps(), dw != nullptr);
    const auto bias = column_sums::of_parts(ctx, split.parts, split.channels, dbias != nullptr);
    if (ctx.planning()) return;
    if (dx != nullptr) convolve(*this, split, *dx, dy, w, nullptr, nullptr, keep, /*around=*/true);
    if (dw == nullptr && dbias == nullptr) return;
    dispatch(split, x.dtype, {x.data, dy.data}, [&](auto tag, auto kernel, auto channels) {
        using T = decltype(tag);
        constexpr int k = decltype(kernel)::value, n = decltype(channels)::value;
        launch({{unsigned(split.parts), blocks_for(split.channels, lanes * n)},
                {unsigned(lanes), unsigned(split.warps)},
                shared_bytes<float>(lanes * n * (k * k + 1))},
               sum_gradients_kernel<T, k, n>, weights.parts(), bias.parts(),
               static_cast<const T*>(data<T>(dy)), static_cast<const T*>(data<T>(x)),
               static_cast<const float*>(data<float>(keep)), split.batch * split.bands,
               int(split.height), int(split.width), int(split.channels), int(split.bands),
               int(split.rows_per_band), int(split.strips));
    });
    weights.add_parts(*this, data<float>(dw));
    bias.add_parts(*this, data<float>(dbias));
}

}  // namespace mim::cuda
