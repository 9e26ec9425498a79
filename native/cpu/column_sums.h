// Sums over rows, one per column: each thread adds up its own range of rows, then the parts are
// added in thread order. The same number of threads gives the same bits.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/parallel.h"

namespace mim::cpu {

class column_sums {
public:
    // Takes scratch: one row of sums per thread. Absent sums take none.
    column_sums(context& ctx, int64_t cols, bool wanted = true)
        : parts_(wanted ? ctx.scratch<float>(int64_t(ctx.threads()) * cols) : nullptr),
          threads_(ctx.threads()),
          cols_(cols) {}

    void clear() {
        if (parts_ != nullptr) std::fill(parts_, parts_ + threads_ * cols_, 0.0f);
    }

    // The row of sums of one thread of parallel_ranges; null where the sums are not wanted.
    float* part(int64_t thread) const {
        return parts_ == nullptr ? nullptr : parts_ + thread * cols_;
    }

    // Adds the rows of a matrix (R, cols), which may be strided; x is f32 or bf16.
    void add_rows(const context& ctx, const view& x) const;

    void add_to(const context& ctx, float* sums) const {
        if (parts_ == nullptr) return;
        parallel_for(ctx, cols_, 1024, [&](int64_t begin, int64_t end) {
            for (int64_t t = 1; t < threads_; ++t)
                for (int64_t c = begin; c < end; ++c) parts_[c] += parts_[t * cols_ + c];
            for (int64_t c = begin; c < end; ++c) sums[c] += parts_[c];
        });
    }

private:
    float* parts_;
    int64_t threads_, cols_;
};

}  // namespace mim::cpu
