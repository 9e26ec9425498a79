#include "cpu/thin_product.h"

#include <algorithm>

#include "core/dtype.h"

namespace mim::cpu {

namespace {

constexpr int64_t block =
    16;  // columns summed side by side: enough independent sums to keep the adders busy

template <class C, class T>
void multiply(const matrix_product& p, C* c, const T* a, const T* b, const float* bias,
              int64_t bias_row_stride, int64_t bias_column_stride) {
    for (int64_t i = 0; i < p.m; ++i)
        for (int64_t first = 0; first < p.n; first += block) {
            const int64_t width = std::min(block, p.n - first);
            float sum[block] = {};
            for (int64_t l = 0; l < p.k; ++l) {
                const float factor = float(a[i * p.a.row_stride + l * p.a.column_stride]);
                const T* row = b + l * p.b.row_stride + first * p.b.column_stride;
                for (int64_t j = 0; j < width; ++j)
                    sum[j] += factor * float(row[j * p.b.column_stride]);
            }
            for (int64_t j = 0; j < width; ++j) {
                C& to = c[i * p.c.row_stride + (first + j) * p.c.column_stride];
                if (bias != nullptr)
                    sum[j] += bias[i * bias_row_stride + (first + j) * bias_column_stride];
                to = C(p.accumulate ? float(to) + sum[j] : sum[j]);
            }
        }
}

}  // namespace

void thin_product(const matrix_product& p, void* c, const void* a, const void* b,
                  const float* bias) {
    const bool column = p.n == 1;  // then c^T = b^T a^T is wide and is computed instead
    matrix_product wide = p;
    if (column) {
        std::swap(wide.m, wide.n);
        std::swap(a, b);
        wide.c = p.c.transposed();
        wide.a = p.b.transposed();
        wide.b = p.a.transposed();
    }
    dispatch_dtype(p.a.dtype, [&](auto input) {
        using T = decltype(input);
        dispatch_dtype(p.c.dtype, [&](auto output) {
            using C = decltype(output);
            multiply(wide, static_cast<C*>(c), static_cast<const T*>(a), static_cast<const T*>(b),
                     bias, column ? 1 : 0, column ? 0 : 1);
        });
    });
}

}  // namespace mim::cpu
