// Sums over rows, one per column, for gradients of parameters. Bands of rows are summed by blocks of
// their own into parts; then the parts of a column are added in their order. Band sizes depend on the
// shape alone, so the same shape gives the same bits.
#pragma once

#include <algorithm>

#include "cuda/gpu.h"

namespace mim::cuda {

class column_sums {
public:
    // Takes scratch for the parts of a matrix (rows, cols); none where the sums are not wanted.
    column_sums(context& ctx, int64_t rows, int64_t cols, bool wanted = true)
        : column_sums(ctx, rows, cols,
                      wanted ? std::min((rows + least_band - 1) / least_band, most_parts) : 0, 0) {}

    // Parts that a kernel of its own fills: `parts` rows of `cols`.
    static column_sums of_parts(context& ctx, int64_t parts, int64_t cols, bool wanted = true) {
        return column_sums(ctx, 0, cols, wanted ? parts : 0, 0);
    }

    int64_t count() const { return count_; }
    float* parts() const { return parts_; }  // (count, cols); null where not wanted

    // sums[c] += the sum of column c of x (rows, cols), f32 or bf16, whose rows may be strided.
    void add_rows(gpu& device, float* sums, const view& x) const;
    // sums[c] += the parts of column c.
    void add_parts(gpu& device, float* sums) const;

private:
    static constexpr int64_t least_band = 32, most_parts = 128;
    column_sums(context& ctx, int64_t rows, int64_t cols, int64_t count, int)
        : rows_(rows),
          cols_(cols),
          count_(count),
          parts_(count > 0 ? ctx.scratch<float>(count * cols) : nullptr) {}

    int64_t rows_, cols_, count_;
    float* parts_;
};

}  // namespace mim::cuda
