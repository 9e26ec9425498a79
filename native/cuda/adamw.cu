// AdamW on the GPU: parameters, both moments and gradients stream through once. Nothing that
// changes from step to step comes from the host: scalars and the gradients' norm are read on the
// device, and the decision to skip a step is taken there, so a recorded step can be replayed.
#include <algorithm>
#include <cfloat>

#include "cuda/gpu.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

constexpr int width = 4, vectors_per_thread = 4;
constexpr int64_t elements_per_block = int64_t(block) * width * vectors_per_thread;

// Segments of one launch, told with its arguments: those of a recorded launch are kept with it,
// and all bytes of them are compared with those of the next. Arguments may take 4 KB in all.
struct segment_batch {
    static constexpr int most = 120;
    int32_t count = 0;
    uint32_t first_block[most + 1] = {};  // of each segment, and behind the last
    int64_t begin[most] = {}, end[most] = {};
    float weight_decay[most] = {}, lr_scale[most] = {};
};

struct adamw_buffers {
    float *p, *m, *v, *grad;
    bf16* rounded;           // may be null
    const float* grad_norm;  // may be null
    const float* scalars;
};
static_assert(sizeof(segment_batch) + sizeof(adamw_buffers) + sizeof(mim_adamw_params) <= 3900);

// What is fixed for a step or a segment, computed in double and rounded once.
struct step_factors {
    float clip, decay, rate, scale;
    float rest1, rest2;  // 1 - beta
    int32_t skipped;     // the norm is not finite
};

__device__ step_factors factors_of(const adamw_buffers& of, const mim_adamw_params& params,
                                   float weight_decay, float lr_scale) {
    step_factors f = {.clip = 1};
    if (of.grad_norm != nullptr) {
        const float norm = *of.grad_norm;
        f.skipped = !(fabsf(norm) <= FLT_MAX);
        if (params.max_norm > 0) {
            const double ratio = double(params.max_norm) / (double(norm) + 1e-6);
            f.clip = float(ratio < 1.0 ? ratio : 1.0);
        }
    }
    const double lr = double(of.scalars[MIM_ADAMW_LR]) * double(lr_scale);
    f.decay = float(1 - lr * double(weight_decay));
    f.rate = float(lr / double(of.scalars[MIM_ADAMW_CORRECTION1]));
    f.scale = float(1 / sqrt(double(of.scalars[MIM_ADAMW_CORRECTION2])));
    f.rest1 = float(1 - double(params.beta1));
    f.rest2 = float(1 - double(params.beta2));
    return f;
}

// n neighbouring elements, all of the segment
template <int n>
__device__ void step_of(const adamw_buffers& of, int64_t i, const step_factors& f,
                        const mim_adamw_params& params) {
    const float zeros[n] = {};
    if (f.skipped) return store_floats(of.grad + i, zeros);
    float p[n], m[n], v[n], g[n];
    load_floats(g, of.grad + i);
    load_floats(m, of.m + i);
    load_floats(v, of.v + i);
    load_floats(p, of.p + i);
    for (int j = 0; j < n; ++j) {
        const float clipped = f.clip * g[j];
        m[j] = f.rest1 * clipped + params.beta1 * m[j];
        v[j] = f.rest2 * clipped * clipped + params.beta2 * v[j];
        const float root = f.scale * sqrtf(v[j]) + params.eps;  // sqrt(v / c2) + eps
        p[j] = f.decay * p[j] - f.rate * m[j] / root;
    }
    store_floats(of.p + i, p);
    store_floats(of.m + i, m);
    store_floats(of.v + i, v);
    store_floats(of.grad + i, zeros);
    if (of.rounded == nullptr) return;
    if constexpr (n == 4)
        store_vector(reinterpret_cast<uint32_t*>(of.rounded + i),
                     vector<uint32_t, 2>{{pack(p[0], p[1]), pack(p[2], p[3])}});
    else
        store_floats(of.rounded + i, p);
}

// Block 256, as many blocks as `segments` counts: each has 4096 elements of one segment, counted
// from the last multiple of 4 at or before its beginning, so that a thread's 4 are a vector where
// the segment has them all. Neighbouring threads have neighbouring vectors.
template <bool by_vectors>
__global__ void __launch_bounds__(block)
    adamw_kernel(adamw_buffers of, mim_adamw_params params, segment_batch segments) {
    block_memory memory;
    step_factors* shared = memory.take<step_factors>(1);
    int s = 0;  // the last segment that begins at or before this block
    for (int above = segments.count; above - s > 1;) {
        const int middle = (s + above) / 2;
        (segments.first_block[middle] <= blockIdx.x ? s : above) = middle;
    }
    const int64_t begin = segments.begin[s], end = segments.end[s];
    if (threadIdx.x == 0)
        *shared = factors_of(of, params, segments.weight_decay[s], segments.lr_scale[s]);
    wait_block();
    const step_factors f = *shared;
    const int64_t first =
        begin / width * width + int64_t(blockIdx.x - segments.first_block[s]) * elements_per_block;
    for (int k = 0; k < vectors_per_thread; ++k) {
        const int64_t i = first + (int64_t(k) * block + threadIdx.x) * width;
        if (by_vectors && i >= begin && i + width <= end) {
            step_of<width>(of, i, f, params);
        } else {
            for (int64_t j = i < begin ? begin : i; j < i + width && j < end; ++j)
                step_of<1>(of, j, f, params);
        }
    }
}

}  // namespace

void gpu::adamw_step(context& ctx, const view& p, const view& m, const view& v, const view* p_bf16,
                     const view& grad, const view* grad_norm, const view& scalars,
                     const mim_segment* segments, int64_t segment_count,
                     const mim_adamw_params& params) {
    if (ctx.planning()) return;
    const adamw_buffers of = {data<float>(p),      data<float>(m),     data<float>(v),
                              data<float>(grad),   data<bf16>(p_bf16), data<float>(grad_norm),
                              data<float>(scalars)};
    const bool by_vectors = aligned_to_vectors({of.p, of.m, of.v, of.grad, of.rounded});
    for (int64_t done = 0; done < segment_count;) {
        segment_batch batch;
        const int64_t count = std::min(segment_count - done, int64_t(segment_batch::most));
        int64_t blocks = 0;
        for (int64_t i = 0; i < count; ++i) {
            const mim_segment& s = segments[done + i];
            batch.begin[i] = s.offset;
            batch.end[i] = s.offset + s.count;
            batch.weight_decay[i] = s.weight_decay;
            batch.lr_scale[i] = s.lr_scale;
            blocks += blocks_for(s.count + s.offset % width, elements_per_block);
            batch.first_block[i + 1] = unsigned(blocks);
        }
        batch.count = int32_t(count);
        done += count;
        launch({blocks_for(blocks, 1), block, shared_bytes<step_factors>(1)},
               by_vectors ? adamw_kernel<true> : adamw_kernel<false>, of, params, batch);
    }
}

}  // namespace mim::cuda
