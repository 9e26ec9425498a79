// The ideal low pass on the GPU: a transform in, a pass that drops bins, a transform out, a pass that
// takes the magnitude. Filter and transforms are linear, so x goes into the first as it is and the
// constant c = mean / std of a normalised picture is put back under the magnitude: y = |low pass(x) +
// c| - c, without c under the magnitude where the filter drops frequency 0. A real picture has half
// of a spectrum. Where the disc is symmetric half of a spectrum goes out too; else bins are kept
// without their conjugates, and a whole one goes out to a complex picture.
//
// Planes are taken in pieces whose spectra stay in the level 2 cache between the passes.
// Derivation: docs/math/low_pass.md.
#include <algorithm>
#include <cmath>

#include "cuda/gpu.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

constexpr unsigned tile_width = 32, tile_height = 8;
constexpr int64_t most_planes = 65535;  // of one launch

// The bins that are kept. Frequencies are multiples of 1/2, so twice of them are integers, and
// nothing is rounded at the rim.
struct disc {
    int64_t height, width;
    int64_t limit;  // the largest (2a)^2 + (2b)^2
    bool symmetric;

    disc(int64_t height, int64_t width, const mim_low_pass_params& params)
        : height(height),
          width(width),
          limit(int64_t(
              std::floor(std::min(4 * double(params.radius) * double(params.radius), 0x1p62)))),
          symmetric(params.mode == MIM_LOW_PASS_SYMMETRIC) {}

    // For odd sizes both modes are the same.
    bool result_is_real() const { return symmetric || (height % 2 != 0 && width % 2 != 0); }

    __host__ __device__ int64_t twice_offset(int64_t k, int64_t n) const {
        if (symmetric) return 2 * (2 * k <= n ? k : n - k);
        const int64_t moved = k + n / 2;
        return 2 * (moved < n ? moved : moved - n) - (n - 1);
    }
    __host__ __device__ bool keeps(int64_t k, int64_t l) const {
        const int64_t a = twice_offset(k, height), b = twice_offset(l, width);
        return a * a + b * b <= limit;
    }
};

// grid (ceil(bins of a row / 32), ceil(H / 8), planes), block (32, 8): a thread has one bin of half a
// spectrum, in place. What is kept stays as it is and is not read.
__global__ void drop_bins_kernel(complex_float* half, disc filter) {
    const int64_t l = blockIdx.x * tile_width + threadIdx.x,
                  k = blockIdx.y * tile_height + threadIdx.y, bins = filter.width / 2 + 1;
    if (l >= bins || k >= filter.height || filter.keeps(k, l)) return;
    half[(blockIdx.z * filter.height + k) * bins + l] = {0, 0};
}

// The same grid over whole rows: a thread writes one bin of the whole spectrum. Bins that half of it
// does not hold are the conjugates of their negatives.
__global__ void spread_bins_kernel(complex_float* whole, const complex_float* half, disc filter) {
    const int64_t l = blockIdx.x * tile_width + threadIdx.x,
                  k = blockIdx.y * tile_height + threadIdx.y, bins = filter.width / 2 + 1;
    if (l >= filter.width || k >= filter.height) return;
    complex_float bin = {0, 0};
    half += blockIdx.z * filter.height * bins;
    if (filter.keeps(k, l)) {
        if (l < bins) {
            bin = half[k * bins + l];
        } else {
            const complex_float other =
                half[(k == 0 ? 0 : filter.height - k) * bins + filter.width - l];
            bin = {other.real, -other.imaginary};
        }
    }
    whole[(blockIdx.z * filter.height + k) * filter.width + l] = bin;
}

// What the magnitude is taken with, and of which plane.
struct normalisation {
    const float *mean, *std;
    int64_t channels, first_plane, pixels;
    float share;  // 1 / (H W)
    bool keeps_constant;
};

// grid (ceil(pixels / 256 n), planes): a thread has n neighbouring pixels. `whole` is the complex
// picture, or null where the picture is real and lies in y already.
template <int n>
__global__ void magnitude_kernel(float* y, const complex_float* whole, normalisation by) {
    const int64_t i = (int64_t(blockIdx.x) * block + threadIdx.x) * n;
    if (i >= by.pixels) return;
    const int64_t channel = (by.first_plane + blockIdx.y) % by.channels;
    const float constant = by.mean[channel] / by.std[channel],
                kept = by.keeps_constant ? constant : 0;
    const int64_t at = blockIdx.y * by.pixels + i;
    float result[n];
    if (whole != nullptr) {
        float parts[2 * n];
        if constexpr (n == 1) {
            parts[0] = whole[at].real;
            parts[1] = whole[at].imaginary;
        } else {
            load_floats(parts, reinterpret_cast<const float*>(whole + at));
        }
        for (int j = 0; j < n; ++j) {
            const float real = fmaf(parts[2 * j], by.share, kept),
                        imaginary = parts[2 * j + 1] * by.share;
            result[j] = sqrtf(fmaf(real, real, imaginary * imaginary)) - constant;
        }
    } else {
        load_floats(result, static_cast<const float*>(y + at));
        for (int j = 0; j < n; ++j) result[j] = fabsf(fmaf(result[j], by.share, kept)) - constant;
    }
    store_floats(y + at, result);
}

}  // namespace

void gpu::apply(const transform& t, void* to, void* from, void* workspace) {
    if (step_.takes(t.kind, t.planes, t.height, t.width, to, from, workspace))
        fft_.run(t, to, from, workspace, stream_);
}

void gpu::low_pass(context& ctx, const view& y, const view& x, const view& mean, const view& std,
                   const mim_low_pass_params& params) {
    const int64_t planes = x.shape[0] * x.shape[1], height = x.shape[2], width = x.shape[3];
    const int64_t pixels = height * width, bins = height * (width / 2 + 1);
    const disc filter(height, width, params);
    const bool is_real = filter.result_is_real();

    // Pieces come in two sizes, that of the last and that of the others. These are even, so that each
    // begins at a whole complex number.
    const int64_t plane_bytes =
        (bins + (is_real ? 0 : pixels)) * int64_t(sizeof(complex_float)) + pixels * 4;
    int64_t piece = std::clamp<int64_t>(properties_.cache_bytes / 2 / plane_bytes, 1,
                                        std::min(planes, most_planes));
    if (piece > 1 && piece < planes) piece -= piece % 2;
    const auto in = [&](int64_t count) {
        return transform{transform_kind::real_to_complex, count, height, width};
    };
    const auto out = [&](int64_t count) {
        return transform{
            is_real ? transform_kind::complex_to_real : transform_kind::complex_to_complex, count,
            height, width};
    };
    int64_t workspace_bytes = 1;
    for (const int64_t count : {piece, planes % piece})
        if (count != 0)
            workspace_bytes = std::max({workspace_bytes, fft_.workspace_bytes(in(count)),
                                        fft_.workspace_bytes(out(count))});
    char* const workspace = ctx.scratch<char>(workspace_bytes);
    complex_float* const half = ctx.scratch<complex_float>(piece * bins);
    complex_float* const whole = is_real ? nullptr : ctx.scratch<complex_float>(piece * pixels);
    if (ctx.planning()) return;

    const auto tiles = [&](int64_t columns, int64_t count) {
        return launch_shape(
            {blocks_for(columns, tile_width), blocks_for(height, tile_height), unsigned(count)},
            {tile_width, tile_height});
    };
    const bool in_vectors = pixels % 4 == 0 && aligned_to_vectors({y.data});
    for (int64_t first = 0; first < planes; first += piece) {
        const int64_t count = std::min(piece, planes - first);
        float* const result = data<float>(y) + first * pixels;
        apply(in(count), half, data<float>(x) + first * pixels, workspace);
        if (is_real)
            launch(tiles(width / 2 + 1, count), drop_bins_kernel, half, filter);
        else
            launch(tiles(width, count), spread_bins_kernel, whole,
                   static_cast<const complex_float*>(half), filter);
        apply(out(count), is_real ? static_cast<void*>(result) : whole, is_real ? half : whole,
              workspace);
        const normalisation by = {
            data<float>(mean),           data<float>(std),  x.shape[1], first, pixels,
            float(1.0 / double(pixels)), filter.keeps(0, 0)};
        launch({{blocks_for(pixels, block * (in_vectors ? 4 : 1)), unsigned(count)}, block},
               in_vectors ? magnitude_kernel<4> : magnitude_kernel<1>, result,
               static_cast<const complex_float*>(whole), by);
    }
}

}  // namespace mim::cuda
