// Cross entropy on the GPU, in two launches: warps take a row each, write its gradient and leave its
// loss; one block adds the losses. All sums have an order that the shape alone decides.
#include "cuda/gpu.h"
#include "cuda/reduce.h"

namespace mim::cuda {

namespace {

constexpr unsigned row_warps = 4, mean_threads = 1024;

// One row of logits z and what is wanted of it: q = on t + off.
template <class T>
struct row_of_logits {
    const T* logits;
    const float* targets;  // t; null: 1 at the label, else 0
    int32_t label, classes;
    float on, off;

    __device__ float wanted(int32_t k) const {
        const float t = targets != nullptr ? targets[k] : k == label ? 1.0f : 0.0f;
        return on * t + off;
    }

    __device__ float largest() const {
        float most = -INFINITY;
        for (int64_t k = threadIdx.x % 32; k < classes; k += 32)
            most = fmaxf(most, float(logits[k]));
        return warp_max(most);
    }

    // Sums term(k): floats for 64 terms of a lane, doubles between them, so that many classes are
    // summed as well as few.
    template <class Term>
    __device__ double sum(Term&& term) const {
        constexpr int64_t stretch = 64 * 32;
        double all = 0;
        for (int64_t first = 0; first < classes; first += stretch) {
            const int64_t end = first + stretch < classes ? first + stretch : classes;
            float part = 0;
            for (int64_t k = first + threadIdx.x % 32; k < end; k += 32) part += term(int32_t(k));
            all += double(part);
        }
        return warp_sum(all);
    }

    // Returns - sum_k q log p, and writes dz = weight (p sum q - q) where it is wanted; with m the
    // largest logit, log p = (z - m) - log sum exp(z - m).
    __device__ double compare(T* dz, float weight) const {
        const float m = largest();
        const double exps = sum([&](int32_t k) { return expf(float(logits[k]) - m); });
        // a class that is not wanted adds nothing, even where its logit is -infinity
        const double product = sum([&](int32_t k) {
            const float q = wanted(k);
            return q == 0 ? 0.0f : q * (float(logits[k]) - m);
        });
        const double whole = targets == nullptr ? 1.0 : sum([&](int32_t k) { return wanted(k); });
        if (dz != nullptr) {
            const float scale = float(whole / exps);
            for (int64_t k = threadIdx.x % 32; k < classes; k += 32)
                dz[k] = T(weight * (expf(float(logits[k]) - m) * scale - wanted(int32_t(k))));
        }
        return whole * log(exps) - product;
    }
};

// grid ceil(R / 4), block 128: a warp a row, its lanes neighbouring classes. A label out of range
// makes its row NaN.
template <class T>
__global__ void __launch_bounds__(row_warps * 32)
    compare_rows_kernel(double* losses, float* loss_per_row, T* dlogits, const T* logits,
                        const int32_t* labels, const float* targets, int64_t rows, int32_t classes,
                        float on, float off, float weight) {
    const int64_t r = int64_t(blockIdx.x) * row_warps + threadIdx.x / 32;
    if (r >= rows) return;
    const int32_t label = labels == nullptr ? 0 : labels[r];
    const bool is_broken = label < 0 || label >= classes;
    const row_of_logits<T> row = {logits + r * classes,
                                  targets == nullptr ? nullptr : targets + r * classes,
                                  label,
                                  classes,
                                  on,
                                  off};
    double loss = row.compare(dlogits == nullptr ? nullptr : dlogits + r * classes,
                              is_broken ? nanf("") : weight);
    if (is_broken) loss = double(nanf(""));
    if (threadIdx.x % 32 != 0) return;
    losses[r] = loss;
    if (loss_per_row != nullptr) loss_per_row[r] = float(loss);
}

// grid (1), block 1024
__global__ void __launch_bounds__(mean_threads)
    mean_of_losses_kernel(float* loss, const double* losses, int64_t rows) {
    block_memory memory;
    double sum = 0;
    for (int64_t r = threadIdx.x; r < rows; r += mean_threads) sum += losses[r];
    sum = block_sum(sum, memory);
    if (threadIdx.x == 0) *loss = float(sum / double(rows));
}

}  // namespace

void gpu::cross_entropy(context& ctx, const view& loss, const view* loss_per_row,
                        const view* dlogits, const view& logits, const view* labels,
                        const view* targets, const mim_cross_entropy_params& params) {
    const int64_t rows = logits.shape[0], classes = logits.shape[1];
    double* losses = ctx.scratch<double>(rows);
    if (ctx.planning()) return;
    const float on = 1 - params.smoothing, off = params.smoothing / float(classes);
    const float weight = float(double(params.grad_scale) / double(rows));
    dispatch_dtype(logits.dtype, [&](auto tag) {
        using T = decltype(tag);
        launch({blocks_for(rows, row_warps), row_warps * 32}, compare_rows_kernel<T>, losses,
               data<float>(loss_per_row), data<T>(dlogits), data<T>(logits), data<int32_t>(labels),
               data<float>(targets), rows, int32_t(classes), on, off, weight);
    });
    launch({1u, mean_threads, shared_bytes<double>(mean_threads / 32)}, mean_of_losses_kernel,
           data<float>(loss), losses, rows);
}

}  // namespace mim::cuda
