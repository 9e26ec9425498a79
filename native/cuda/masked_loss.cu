// Masked reconstruction loss on the GPU, in three launches: the mask is summed in parts; blocks
// compare a patch of the target with its row of pred, write the gradients while both are at hand and
// leave the row's error; one block adds the errors. All sums have an order that the shape alone
// decides. The gradients are derived in docs/math/masked_loss.md.
#include <algorithm>

#include "core/loss_kind.h"
#include "cuda/patches.h"
#include "cuda/reduce.h"
#include "cuda/token_rows.h"

namespace mim::cuda {

namespace {

constexpr unsigned most_parts = 32, sum_threads = 256, last_threads = 1024;
constexpr int64_t most_staged = 8192;  // values of a patch that lie in shared memory

// grid (parts), block 256: each block sums one band of the mask, neighbouring threads neighbouring
// weights.
__global__ void sum_mask_kernel(double* parts, const float* mask, int64_t count) {
    block_memory memory;
    const int64_t band = (count + gridDim.x - 1) / gridDim.x, begin = blockIdx.x * band;
    const int64_t end = begin + band < count ? begin + band : count;
    double sum = 0;
    for (int64_t i = begin + threadIdx.x; i < end; i += sum_threads) sum += double(mask[i]);
    sum = block_sum(sum, memory);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// A mask of cells: how a patch is cut into them.
struct cell_grid {
    int64_t line, image;    // cells from one row of the image's to the next, from image to image
    int32_t rows, columns;  // of the cells of a patch
    divider height, width;  // of a cell

    // Of a patch's first cell, counted from the image's first.
    __device__ int64_t origin(const patch_grid& grid, int64_t patch) const {
        const uint32_t row = uint32_t(patch) / grid.columns;
        return int64_t(row) * rows * line + (patch - row * grid.columns) * columns;
    }
    __device__ int64_t offset(const patch_place& place) const {
        return height(place.row) * line + width(place.column);
    }
};

// What the mask was summed to, and what it is made into.
struct scaling {
    const double* parts;
    int32_t count;
    double pixels, epsilon, channels;  // of what a weight stands for; mask_epsilon; C

    // One part a lane; all 32 of a warp call it.
    __device__ double denominator() const {
        const int32_t lane = threadIdx.x % 32;
        const double masked = warp_sum(lane < count ? parts[lane] : 0.0);
        return (masked * pixels + epsilon) * channels;
    }
};

template <class T>
struct loss_arguments {
    const T* pred;
    T* dpred;  // these three may be null
    float *dtarget, *per_patch;
    double* errors;
    const float *target, *mask;
    const int32_t* ids;  // null: in order
    id_places places;    // where rows are taken by their patches
    int64_t rows;        // of an image
    patch_grid grid;
    cell_grid cells;
    bool celled, normalize;
    float eps, beta, grad_scale;
    scaling scale;
};

// err(e) and err'(e). Where e is not a number, neither is.
template <int32_t kind>
__device__ float error_value(float e, float beta) {
    const float size = fabsf(e);
    if constexpr (kind == MIM_LOSS_L2) {
        return e * e;
    } else if constexpr (kind == MIM_LOSS_L1) {
        return size;
    } else {
        static_assert(kind == MIM_LOSS_SMOOTH_L1);
        return size < beta ? 0.5f * (e * e) / beta : size - 0.5f * beta;
    }
}
template <int32_t kind>
__device__ float error_slope(float e, float beta) {
    const float size = fabsf(e), sign = copysignf(1.0f, e);
    if constexpr (kind == MIM_LOSS_L2) {
        return e + e;
    } else if constexpr (kind == MIM_LOSS_L1) {
        return size > 0 ? sign : e;
    } else {
        static_assert(kind == MIM_LOSS_SMOOTH_L1);
        return size >= beta ? sign : e / beta;
    }
}

// A row of pred, its patch of the target and its gradients, as one block sees them. A thread has n
// neighbouring values, then those that lie a block further on.
template <class T, int32_t kind, int n>
class patch_row {
public:
    __device__ patch_row(const loss_arguments<T>& all, int64_t image, int64_t row, float* staged,
                         double* of_warps)
        : all_(all),
          row_(image * all.rows + row),
          count_(all.grid.values()),
          staged_(staged),
          of_warps_(of_warps) {
        const int64_t id = all.ids == nullptr ? row : all.ids[row_], patches = all.grid.patches;
        patch_ = id < 0 ? 0 : id < patches ? id : patches - 1;
        is_broken_ = patch_ != id;
        const int64_t first_pixel = image * all.grid.pixels() + all.grid.origin(patch_);
        pixels_ = all.target + first_pixel;
        dpixels_ = all.dtarget == nullptr ? nullptr : all.dtarget + first_pixel;
        cell_ = all.celled ? all.mask + image * all.cells.image + all.cells.origin(all.grid, patch_)
                           : all.mask + row_;
    }

    __device__ void compare(double denominator) {
        cells_differ_ = all_.celled && differing_cells();
        const double one = cells_differ_ ? 1 : double(*cell_);  // weight of the row
        const bool counts = one != 0;
        if (!counts && all_.dpred != nullptr) clear_gradient();
        if (!counts && all_.per_patch == nullptr) return finish(0);
        stage();
        if (all_.normalize) find_moments();
        weight_ = counts ? float(one * double(all_.grad_scale) / denominator) : 0;
        const bool writes = counts && all_.dpred != nullptr;
        const double error = sum([&](int64_t i, const values& v) {
            if (writes) {
                float g[n];
                for (int j = 0; j < n; ++j) g[j] = gradient(v.e[j], v.m[j]);
                store_floats(all_.dpred + row_ * count_ + i, g);
            }
            float part = 0;
            for (int j = 0; j < n; ++j)
                part += masked(error_value<kind>(v.e[j], all_.beta), v.m[j]);
            return part;
        });
        finish(counts ? one * error : 0);
        if (all_.per_patch != nullptr) {
            double whole = error;
            if (cells_differ_)
                whole = sum([&](int64_t, const values& v) {
                    float part = 0;
                    for (int j = 0; j < n; ++j) part += error_value<kind>(v.e[j], all_.beta);
                    return part;
                });
            if (threadIdx.x == 0) all_.per_patch[row_] = float(whole / double(count_));
        }
        if (counts && dpixels_ != nullptr) add_target_gradient();
    }

private:
    // x times its cell; where that is 0, so is the product, even of what is not a number.
    __device__ float masked(float x, float m) const {
        return !cells_differ_ ? x : m == 0 ? 0 : x * m;
    }
    __device__ float gradient(float e, float m) const {
        return masked(error_slope<kind>(e, all_.beta) * weight_, m);
    }
    __device__ float compared(float raw) const { return (raw - first_ - mean_) * scale_; }
    __device__ float target(int64_t i) const {
        return compared(staged_ != nullptr ? staged_[i] : pixels_[all_.grid.offset(uint32_t(i))]);
    }

    // n values from the i-th: pred less target, target, cells.
    struct values {
        float e[n] = {}, t[n] = {}, m[n] = {};
    };

    // Calls body(i, values) for each n values from the i-th.
    template <class Body>
    __device__ void each(Body&& body) const {
        for (int64_t i = threadIdx.x * n; i < count_; i += blockDim.x * n) {
            values v;
            load_floats(v.e, all_.pred + row_ * count_ + i);
            if (staged_ != nullptr)
                load_floats(v.t, static_cast<const float*>(staged_ + i));
            else
                for (int j = 0; j < n; ++j) v.t[j] = pixels_[all_.grid.offset(uint32_t(i + j))];
            for (int j = 0; j < n; ++j) {
                v.t[j] = compared(v.t[j]);
                v.e[j] -= v.t[j];
                if (cells_differ_)
                    v.m[j] = cell_[all_.cells.offset(all_.grid.place(uint32_t(i + j)))];
            }
            body(i, v);
        }
    }
    template <class Body>
    __device__ double sum(Body&& body) const {
        float part = 0;
        each([&](int64_t i, const values& v) { part += body(i, v); });
        return block_sum(double(part), of_warps_);
    }

    __device__ bool differing_cells() const {
        int32_t others = 0;
        const int32_t columns = all_.cells.columns;
        for (int32_t i = threadIdx.x; i < all_.cells.rows * columns; i += blockDim.x)
            others += cell_[i / columns * all_.cells.line + i % columns] != cell_[0];
        return block_sum(double(others), of_warps_) != 0;
    }

    __device__ void clear_gradient() const {
        const float zeros[n] = {};
        for (int64_t i = threadIdx.x * n; i < count_; i += blockDim.x * n)
            store_floats(all_.dpred + row_ * count_ + i, zeros);
    }

    // The patch into shared memory. The row before it has been read by all threads: a sum ended it.
    __device__ void stage() {
        first_ = mean_ = 0;
        scale_ = 1;
        if (staged_ == nullptr) return;
        wait_block();
        for (int64_t i = threadIdx.x; i < count_; i += blockDim.x)
            staged_[i] = pixels_[all_.grid.offset(uint32_t(i))];
        wait_block();
    }

    // The first value is subtracted before anything is summed: a constant patch then is exactly 0,
    // however large 1 / sqrt(eps) is, and no digits cancel where the contrast is low.
    __device__ void find_moments() {
        first_ = pixels_[0];
        float part = 0;
        for (int64_t i = threadIdx.x; i < count_; i += blockDim.x) part += target(i);
        const float mean = float(block_sum(double(part), of_warps_) / double(count_));
        mean_ = mean;
        part = 0;
        for (int64_t i = threadIdx.x; i < count_; i += blockDim.x) {
            const float x = target(i);
            part += x * x;
        }
        const double squares = block_sum(double(part), of_warps_);
        scale_ = float(1 / sqrt(squares / double(count_ - 1) + double(all_.eps)));
    }

    __device__ void finish(double error) const {
        if (threadIdx.x == 0) all_.errors[row_] = is_broken_ ? double(nanf("")) : error;
    }

    // With g = d loss / d pred, that of the target as compared is -g:
    //   raw          -g
    //   normalised   r (mean(g) + t sum(g t) / (P - 1) - g)
    __device__ void add_target_gradient() const {
        float mean = 0, slope = 0;
        if (all_.normalize) {
            const double total = sum([&](int64_t, const values& v) {
                float part = 0;
                for (int j = 0; j < n; ++j) part += gradient(v.e[j], v.m[j]);
                return part;
            });
            const double product = sum([&](int64_t, const values& v) {
                float part = 0;
                for (int j = 0; j < n; ++j) part += gradient(v.e[j], v.m[j]) * v.t[j];
                return part;
            });
            mean = float(total / double(count_));
            slope = float(product / double(count_ - 1));
        }
        each([&](int64_t i, const values& v) {
            for (int j = 0; j < n; ++j) {
                const float projected = all_.normalize ? fmaf(v.t[j], slope, mean) : 0;
                dpixels_[all_.grid.offset(uint32_t(i + j))] +=
                    scale_ * (projected - gradient(v.e[j], v.m[j]));
            }
        });
    }

    const loss_arguments<T>& all_;
    int64_t row_, count_, patch_;
    float* staged_;
    double* of_warps_;
    const float *pixels_, *cell_;
    float* dpixels_;
    bool is_broken_, cells_differ_ = false;
    float first_ = 0, mean_ = 0, scale_ = 1, weight_ = 0;
};

// grid (B M), a block a row; or (B L), a block a patch with its rows one after the other, where
// several may add to the gradient of one patch. A patch of at most 8192 values is read once, into
// shared memory; the values of pred come again from the level 1 cache.
template <class T, int32_t kind, int n>
__global__ void compare_rows_kernel(loss_arguments<T> all) {
    block_memory memory;
    double* of_warps = memory.take<double>(blockDim.x / 32);
    const int64_t values = all.grid.values();
    float* staged = values <= most_staged ? memory.take<float>(values) : nullptr;
    const double denominator = all.scale.denominator();
    const bool by_patches = all.places.first != nullptr;
    const int64_t blocks = by_patches ? all.grid.patches : all.rows;
    const int64_t image = blockIdx.x / uint32_t(blocks);
    int64_t row = blockIdx.x - image * blocks;
    if (by_patches) row = all.places.first_of(image, row);
    while (row >= 0) {
        patch_row<T, kind, n>(all, image, row, staged, of_warps).compare(denominator);
        row = by_patches ? all.places.next_of(image, row) : -1;
    }
}

// grid (1), block 1024
__global__ void add_errors_kernel(float* loss, const double* errors, int64_t count, scaling scale) {
    block_memory memory;
    double sum = 0;
    for (int64_t i = threadIdx.x; i < count; i += last_threads) sum += errors[i];
    sum = block_sum(sum, memory);
    const double denominator = scale.denominator();
    if (threadIdx.x == 0) *loss = denominator == 0 ? 0.0f : float(sum / denominator);
}

}  // namespace

void gpu::masked_loss(context& ctx, const view& loss, const view* loss_per_patch, const view* dpred,
                      const view* dtarget, const view& pred, const view& target, const view& mask,
                      const view* ids, const mim_masked_loss_params& params) {
    const patch_grid grid(target, params.patch_height, params.patch_width, params.order);
    const int64_t rows = pred.shape[1], all_rows = pred.shape[0] * rows, values = grid.values();
    const int64_t weights = elements(mask);
    const bool celled = mask.rank == 3, by_patches = dtarget != nullptr && ids != nullptr;
    const unsigned parts = unsigned(std::min<int64_t>((weights + 2047) / 2048, most_parts));
    double* const mask_parts = ctx.scratch<double>(parts);
    double* const errors = ctx.scratch<double>(all_rows);
    const id_places places(ctx, by_patches ? ids : nullptr, grid.patches);
    if (ctx.planning()) return;

    launch({parts, sum_threads, shared_bytes<double>(sum_threads / 32)}, sum_mask_kernel,
           mask_parts, static_cast<const float*>(data<float>(mask)), weights);
    if (by_patches) places.fill(*this, ids, /*clamped=*/true);

    const int64_t image_rows = celled ? mask.shape[1] : 1,
                  image_columns = celled ? mask.shape[2] : 1;
    const int64_t cell_height = grid.height / image_rows, cell_width = grid.width / image_columns;
    const cell_grid cells = {image_columns,
                             image_rows * image_columns,
                             int32_t(grid.patch_height / cell_height),
                             int32_t(grid.patch_width / cell_width),
                             divider(cell_height, grid.patch_height),
                             divider(cell_width, grid.patch_width)};
    // a weight is that of a patch, or of a cell
    const int64_t pixels =
        celled ? cell_height * cell_width : int64_t(grid.patch_height) * grid.patch_width;
    const scaling scale = {mask_parts, int32_t(parts), double(pixels), double(params.mask_epsilon),
                           double(grid.channels)};

    dispatch_dtype(pred.dtype, [&](auto tag) {
        using T = decltype(tag);
        const loss_arguments<T> all = {.pred = data<T>(pred),
                                       .dpred = data<T>(dpred),
                                       .dtarget = data<float>(dtarget),
                                       .per_patch = data<float>(loss_per_patch),
                                       .errors = errors,
                                       .target = data<float>(target),
                                       .mask = data<float>(mask),
                                       .ids = data<int32_t>(ids),
                                       .places = places,
                                       .rows = rows,
                                       .grid = grid,
                                       .cells = cells,
                                       .celled = celled,
                                       .normalize = params.normalize != 0,
                                       .eps = params.normalize_eps,
                                       .beta = params.beta,
                                       .grad_scale = params.grad_scale,
                                       .scale = scale};
        dispatch_width<T>(values, {all.pred, all.dpred}, [&](auto width) {
            constexpr int n = decltype(width)::value;
            const unsigned threads = threads_for(values / n);
            const int64_t blocks = by_patches ? pred.shape[0] * grid.patches : all_rows;
            const int64_t shared = shared_bytes<double>(threads / 32) +
                                   (values <= most_staged ? shared_bytes<float>(values) : 0);
            dispatch_loss_kind(params.kind, [&](auto kind) {
                launch({blocks_for(blocks, 1), threads, shared},
                       compare_rows_kernel<T, decltype(kind)::value, n>, all);
            });
        });
    });
    launch({1, last_threads, shared_bytes<double>(last_threads / 32)}, add_errors_kernel,
           data<float>(loss), static_cast<const double*>(errors), all_rows, scale);
}

}  // namespace mim::cuda
