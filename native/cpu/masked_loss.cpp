// Masked reconstruction loss on the CPU: each patch of the target is read straight from the image,
// compared with its row of pred, and its gradients are written while both are in the cache. Rows
// are independent of each other and the loss is summed in row order, so the bits depend on no
// thread count. The gradients are derived in docs/math/masked_loss.md.
#include <cmath>
#include <cstring>

#include "core/loss_kind.h"
#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/masked_loss.cpp"
#include "hwy/foreach_target.h"

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// ---- patches of an image ----

struct patch_grid {
    int64_t channels, height, width;  // of an image
    int64_t patch_height, patch_width;
    bool pixels_first;  // the order of a patch vector

    int64_t columns() const { return width / patch_width; }
    int64_t patches() const { return height / patch_height * columns(); }
    int64_t values() const { return channels * patch_height * patch_width; }
    // Of a patch's first pixel, counted from the image's first; and of a row of the patch from
    // there.
    int64_t origin(int64_t patch) const {
        return patch / columns() * patch_height * width + patch % columns() * patch_width;
    }
    int64_t row_offset(int64_t channel, int64_t row) const {
        return (channel * height + row) * width;
    }
};

// to[3 i + c] = plane c at i, for as many whole vectors of D as fit; returns how many elements that
// were.
template <class D>
HWY_INLINE int64_t interleave(D d, float* to, const float* const* planes, int64_t begin,
                              int64_t end) {
    const int64_t lanes = int64_t(hn::Lanes(d));
    for (; begin + lanes <= end; begin += lanes)
        hn::StoreInterleaved3(hn::LoadU(d, planes[0] + begin), hn::LoadU(d, planes[1] + begin),
                              hn::LoadU(d, planes[2] + begin), d, to + 3 * begin);
    return begin;
}

// plane c at i += from[3 i + c], likewise
template <class D>
HWY_INLINE int64_t deinterleave_add(D d, float* const* planes, const float* from, int64_t begin,
                                    int64_t end) {
    const int64_t lanes = int64_t(hn::Lanes(d));
    for (; begin + lanes <= end; begin += lanes) {
        hn::Vec<D> a, b, c;
        hn::LoadInterleaved3(d, from + 3 * begin, a, b, c);
        hn::StoreU(hn::Add(hn::LoadU(d, planes[0] + begin), a), d, planes[0] + begin);
        hn::StoreU(hn::Add(hn::LoadU(d, planes[1] + begin), b), d, planes[1] + begin);
        hn::StoreU(hn::Add(hn::LoadU(d, planes[2] + begin), c), d, planes[2] + begin);
    }
    return begin;
}

// values[...] = the pixels of a patch, in the grid's order.
void read_patch(const patch_grid& grid, float* values, const float* image, int64_t patch) {
    const float* pixels = image + grid.origin(patch);
    const int64_t wide = grid.patch_width, channels = grid.channels;
    for (int64_t row = 0; row < grid.patch_height; ++row) {
        if (!grid.pixels_first) {
            for (int64_t c = 0; c < channels; ++c)
                std::memcpy(values + (c * grid.patch_height + row) * wide,
                            pixels + grid.row_offset(c, row), size_t(wide) * sizeof(float));
            continue;
        }
        float* to = values + row * wide * channels;
        int64_t done = 0;
        if (channels == 3) {
            const float* planes[3];
            for (int64_t c = 0; c < 3; ++c) planes[c] = pixels + grid.row_offset(c, row);
            done = interleave(float_lanes(), to, planes, 0, wide);
            done = interleave(hn::CappedTag<float, 4>(), to, planes, done, wide);
        }
        for (int64_t c = 0; c < channels; ++c) {
            const float* from = pixels + grid.row_offset(c, row);
            for (int64_t x = done; x < wide; ++x) to[x * channels + c] = from[x];
        }
    }
}

// The pixels of a patch += values.
void add_patch(const patch_grid& grid, float* image, const float* values, int64_t patch) {
    float* pixels = image + grid.origin(patch);
    const int64_t wide = grid.patch_width, channels = grid.channels;
    for (int64_t row = 0; row < grid.patch_height; ++row) {
        if (!grid.pixels_first) {
            for (int64_t c = 0; c < channels; ++c) {
                const float* from = values + (c * grid.patch_height + row) * wide;
                float* to = pixels + grid.row_offset(c, row);
                for (int64_t x = 0; x < wide; ++x) to[x] += from[x];
            }
            continue;
        }
        const float* from = values + row * wide * channels;
        int64_t done = 0;
        if (channels == 3) {
            float* planes[3];
            for (int64_t c = 0; c < 3; ++c) planes[c] = pixels + grid.row_offset(c, row);
            done = deinterleave_add(float_lanes(), planes, from, 0, wide);
            done = deinterleave_add(hn::CappedTag<float, 4>(), planes, from, done, wide);
        }
        for (int64_t c = 0; c < channels; ++c) {
            float* to = pixels + grid.row_offset(c, row);
            for (int64_t x = done; x < wide; ++x) to[x] += from[x * channels + c];
        }
    }
}

// ---- a mask of cells ----

struct cell_grid {
    int64_t rows, columns;  // of the cells that one patch is cut into
    int64_t line;           // cells from one row of the image's to the next

    cell_grid(const patch_grid& grid, int64_t image_rows, int64_t image_columns)
        : rows(grid.patch_height * image_rows / grid.height),
          columns(grid.patch_width * image_columns / grid.width),
          line(image_columns) {}

    // Of a patch's first cell, counted from the image's first.
    int64_t origin(const patch_grid& grid, int64_t patch) const {
        return patch / grid.columns() * rows * line + patch % grid.columns() * columns;
    }

    bool equal(const float* first) const {
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < columns; ++c)
                if (first[r * line + c] != first[0]) return false;
        return true;
    }

    // values[...] = the cell that holds each value of a patch, in the patch's order.
    void spread(const patch_grid& grid, float* values, const float* first) const {
        const int64_t depth = grid.pixels_first ? grid.channels : 1;
        const int64_t run = grid.patch_width / columns * depth, wide = grid.patch_width * depth;
        const int64_t tall = grid.patch_height / rows, plane = grid.patch_height * wide;
        for (int64_t r = 0; r < rows; ++r) {
            float* top = values + r * tall * wide;
            for (int64_t c = 0; c < columns; ++c)
                std::fill_n(top + c * run, run, first[r * line + c]);
            for (int64_t row = 1; row < tall; ++row)
                std::memcpy(top + row * wide, top, size_t(wide) * sizeof(float));
        }
        if (!grid.pixels_first)
            for (int64_t c = 1; c < grid.channels; ++c)
                std::memcpy(values + c * plane, values, size_t(plane) * sizeof(float));
    }
};

// ---- one patch vector ----
//
// `t` and `cells` are scratch, padded to whole vectors, so that they need no tails.

// t = (t - mean) * r with r = 1 / sqrt(var + eps); returns r. The first value is subtracted before
// anything is summed: a constant patch then is exactly 0, however large eps makes r, and no digits
// cancel where the contrast is low.
float normalize_patch(float* t, int64_t count, float eps) {
    const float_lanes d;
    const float_vector first = hn::Set(d, t[0]);
    const double offset = sum_over(count, [&](int64_t i, int64_t)
                                              HWY_ATTR { return hn::Sub(load(d, t + i), first); }) /
                          double(count);
    const float_vector mean = hn::Set(d, float(offset));
    const double squares = sum_over(count, [&](int64_t i, int64_t) HWY_ATTR {
        const float_vector x = hn::Sub(hn::Sub(load(d, t + i), first), mean);
        store(x, d, t + i);
        return hn::Mul(x, x);
    });
    const float r = float(1 / std::sqrt(squares / double(count - 1) + double(eps)));
    for (int64_t i = 0; i < count; i += lane_count())
        store(hn::Mul(load(d, t + i), hn::Set(d, r)), d, t + i);
    return r;
}

// err(e) and err'(e). Where e is not a number, neither is.
template <int32_t kind>
HWY_INLINE float_vector error_value(float_lanes d, float_vector e, float_vector beta) {
    if constexpr (kind == MIM_LOSS_L2) {
        return hn::Mul(e, e);
    } else if constexpr (kind == MIM_LOSS_L1) {
        return hn::Abs(e);
    } else {
        static_assert(kind == MIM_LOSS_SMOOTH_L1);
        const float_vector half = hn::Set(d, 0.5f), size = hn::Abs(e);
        const float_vector quadratic = hn::Div(hn::Mul(half, hn::Mul(e, e)), beta);
        return hn::IfThenElse(hn::Lt(size, beta), quadratic, hn::NegMulAdd(half, beta, size));
    }
}

template <int32_t kind>
HWY_INLINE float_vector error_slope(float_lanes d, float_vector e, float_vector beta) {
    const float_vector sign = hn::CopySign(hn::Set(d, 1.0f), e);
    if constexpr (kind == MIM_LOSS_L2) {
        return hn::Add(e, e);
    } else if constexpr (kind == MIM_LOSS_L1) {
        return hn::IfThenElse(hn::Gt(hn::Abs(e), hn::Zero(d)), sign, e);
    } else {
        static_assert(kind == MIM_LOSS_SMOOTH_L1);
        return hn::IfThenElse(hn::Ge(hn::Abs(e), beta), sign, hn::Div(e, beta));
    }
}

// One row of pred against its target t. `weight` is d loss / d err: mask * grad_scale /
// denominator. Where the row's cells differ they are in `cells`, value by value, and the weight is
// without the mask.
template <class T, int32_t kind>
struct patch_row {
    const T* pred;
    float* t;
    const float* cells;  // null: the weight is that of all values
    int64_t count;
    float beta, weight;

    HWY_INLINE float_vector difference(int64_t i, int64_t left) const {
        const float_lanes d;
        return hn::Sub(load_some(d, pred + i, left), load(d, t + i));
    }
    // x times the value's cell; where that is 0, so is the product, even of what is not a number.
    HWY_INLINE float_vector masked(float_vector x, int64_t i) const {
        if (cells == nullptr) return x;
        const float_lanes d;
        const float_vector m = load(d, cells + i);
        return hn::IfThenZeroElse(hn::Eq(m, hn::Zero(d)), hn::Mul(x, m));
    }
    HWY_INLINE float_vector gradient(float_vector e, int64_t i) const {
        const float_lanes d;
        return masked(hn::Mul(error_slope<kind>(d, e, hn::Set(d, beta)), hn::Set(d, weight)), i);
    }

    // The sum of err over the row, times the cells where there are some; writes the gradient of
    // pred where it is wanted.
    double compare(T* dpred) const {
        const float_lanes d;
        return sum_over(count, [&](int64_t i, int64_t left) HWY_ATTR {
            const float_vector e = difference(i, left);
            if (dpred != nullptr) store_some(gradient(e, i), d, dpred + i, left);
            return masked(error_value<kind>(d, e, hn::Set(d, beta)), i);
        });
    }

    // The sum of err over the row, whatever the cells.
    double without_cells() const {
        patch_row all = *this;
        all.cells = nullptr;
        return all.compare(nullptr);
    }

    // t = the gradient of the target's pixels. With g = d loss / d pred, that of the target as
    // compared is -g:
    //   raw          -g
    //   normalised   r (mean(g) + t sum(g t) / (P - 1) - g)
    void target_gradient(bool normalized, float r) const {
        const float_lanes d;
        float_vector mean = hn::Zero(d), slope = hn::Zero(d), scale = hn::Set(d, 1.0f);
        if (normalized) {
            const double sum = sum_over(count, [&](int64_t i, int64_t left) HWY_ATTR {
                return gradient(difference(i, left), i);
            });
            const double product = sum_over(count, [&](int64_t i, int64_t left) HWY_ATTR {
                return hn::Mul(gradient(difference(i, left), i), load(d, t + i));
            });
            mean = hn::Set(d, float(sum / double(count)));
            slope = hn::Set(d, float(product / double(count - 1)));
            scale = hn::Set(d, r);
        }
        for (int64_t i = 0; i < count; i += lane_count()) {
            const float_vector g = gradient(difference(i, count - i), i);
            const float_vector projected =
                normalized ? hn::MulAdd(load(d, t + i), slope, mean) : hn::Zero(d);
            store(hn::Mul(scale, hn::Sub(projected, g)), d, t + i);
        }
    }
};

// ---- all rows ----

struct loss_views {
    const view* loss_per_patch;  // these three may be null
    const view* dpred;
    const view* dtarget;
    const view& pred;
    const view& target;
    const view& mask;
    const int32_t* ids;  // null: in order
};

// Leaves mask times err, summed over each row, in `errors`. `scratch` holds two patch vectors for
// each thread.
template <class T, int32_t kind>
void compare_rows(const context& ctx, const loss_views& views, const patch_grid& grid,
                  double* errors, float* scratch, int64_t padded, double denominator,
                  const mim_masked_loss_params& params) {
    const int64_t batch = views.pred.shape[0], rows = views.pred.shape[1], values = grid.values();
    const int64_t image = grid.channels * grid.height * grid.width;
    const float *target = data<float>(views.target), *mask = data<float>(views.mask);
    float *dtarget = data<float>(views.dtarget), *per_patch = data<float>(views.loss_per_patch);
    const T* pred = data<T>(views.pred);
    T* dpred = data<T>(views.dpred);
    const bool celled = views.mask.rank == 3;
    const cell_grid cell_rows(grid, celled ? views.mask.shape[1] : 0,
                              celled ? views.mask.shape[2] : 0);
    // Threads share out whole images where they add to dtarget and ids may repeat: no two threads
    // meet in a patch, and its rows are added in their order.
    const int64_t grain = dtarget == nullptr || views.ids == nullptr ? 1 : rows;

    parallel_ranges(
        ctx, batch * rows, grain, [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
            float *t = scratch + 2 * thread * padded, *spread = t + padded;
            for (int64_t i = begin; i < end; ++i) {
                const int64_t patch = views.ids == nullptr ? i % rows : views.ids[i];
                const float* cell = mask + i;
                const float* cells = nullptr;
                if (celled) {
                    cell = mask + i / rows * (views.mask.shape[1] * views.mask.shape[2]) +
                           cell_rows.origin(grid, patch);
                    if (!cell_rows.equal(cell)) {
                        cell_rows.spread(grid, spread, cell);
                        cells = spread;
                    }
                }
                const double one = cells == nullptr ? double(*cell) : 1;  // weight of the row
                const bool counts = one != 0;
                errors[i] = 0;
                if (!counts && dpred != nullptr) std::fill_n(dpred + i * values, values, T());
                if (!counts && per_patch == nullptr) continue;

                const int64_t first_pixel = i / rows * image;
                read_patch(grid, t, target + first_pixel, patch);
                const float r =
                    params.normalize ? normalize_patch(t, values, params.normalize_eps) : 1.0f;
                const float weight =
                    counts ? float(one * double(params.grad_scale) / denominator) : 0;
                const patch_row<T, kind> row = {pred + i * values, t,     cells, values,
                                                params.beta,       weight};
                const double error =
                    row.compare(counts && dpred != nullptr ? dpred + i * values : nullptr);
                if (counts) errors[i] = one * error;
                if (per_patch != nullptr)
                    per_patch[i] =
                        float((cells == nullptr ? error : row.without_cells()) / double(values));
                if (counts && dtarget != nullptr) {
                    row.target_gradient(params.normalize != 0, r);
                    add_patch(grid, dtarget + first_pixel, t, patch);
                }
            }
        });
}

void masked_loss(context& ctx, const view& loss, const view* loss_per_patch, const view* dpred,
                 const view* dtarget, const view& pred, const view& target, const view& mask,
                 const view* ids, const mim_masked_loss_params& params) {
    const loss_views views = {loss_per_patch, dpred, dtarget,           pred,
                              target,         mask,  data<int32_t>(ids)};
    const patch_grid grid = {target.shape[1],    target.shape[2],
                             target.shape[3],    params.patch_height,
                             params.patch_width, params.order == MIM_PATCH_PIXELS_FIRST};
    const int64_t rows = pred.shape[1], all = pred.shape[0] * rows;
    const int64_t padded = (grid.values() + 15) / 16 * 16;
    double* errors = ctx.scratch<double>(all);
    float* vectors = ctx.scratch<float>(2 * ctx.threads() * padded);
    if (ctx.planning()) return;

    const float* counted = data<float>(mask);
    const int64_t weights = elements(mask);
    double masked = 0;
    for (int64_t i = 0; i < weights; ++i) masked += double(counted[i]);
    for (int64_t i = 0; views.ids != nullptr && i < all; ++i)
        if (views.ids[i] < 0 || views.ids[i] >= grid.patches())
            fail_argument("ids[" + std::to_string(i / rows) + ", " + std::to_string(i % rows) +
                          "] is " + std::to_string(views.ids[i]) + ", expected 0 to " +
                          std::to_string(grid.patches() - 1));
    // a weight is that of a patch, or of a cell
    const int64_t pixels = mask.rank == 3
                               ? grid.height / mask.shape[1] * (grid.width / mask.shape[2])
                               : grid.patch_height * grid.patch_width;
    const double denominator =
        (masked * double(pixels) + double(params.mask_epsilon)) * double(grid.channels);

    dispatch_dtype(pred.dtype, [&](auto tag) {
        using T = decltype(tag);
        dispatch_loss_kind(params.kind, [&](auto kind) {
            compare_rows<T, decltype(kind)::value>(ctx, views, grid, errors, vectors, padded,
                                                   denominator, params);
        });
    });

    double total = 0;
    for (int64_t i = 0; i < all; ++i) total += errors[i];
    *data<float>(loss) = denominator == 0 ? 0.0f : float(total / denominator);
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(masked_loss);

void processor::masked_loss(context& ctx, const view& loss, const view* loss_per_patch,
                            const view* dpred, const view* dtarget, const view& pred,
                            const view& target, const view& mask, const view* ids,
                            const mim_masked_loss_params& params) {
    HWY_DYNAMIC_DISPATCH(masked_loss)
    (ctx, loss, loss_per_patch, dpred, dtarget, pred, target, mask, ids, params);
}

}  // namespace mim::cpu
#endif
