#include "cpu/widened_product.h"

#include "core/dtype.h"

namespace mim::cpu {

namespace {

matrix_product dense_floats(matrix_product p) {
    p.c = {MIM_F32, p.n, 1};
    p.a = {MIM_F32, p.k, 1};
    p.b = {MIM_F32, p.n, 1};
    return p;
}

// Bytes of so many floats, up to the next cache line.
int64_t room(int64_t numbers) {
    return (numbers + 15) / 16 * 64;
}

// A matrix of either type and layout as dense rows of floats, and back.
void widen(float* to, const void* from, int64_t rows, int64_t cols, const matrix_layout& layout) {
    dispatch_dtype(layout.dtype, [&](auto tag) {
        const auto* numbers = static_cast<const decltype(tag)*>(from);
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < cols; ++c)
                to[r * cols + c] = float(numbers[r * layout.row_stride + c * layout.column_stride]);
    });
}
void narrow(void* to, const float* from, int64_t rows, int64_t cols, const matrix_layout& layout) {
    dispatch_dtype(layout.dtype, [&](auto tag) {
        using T = decltype(tag);
        auto* numbers = static_cast<T*>(to);
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < cols; ++c)
                numbers[r * layout.row_stride + c * layout.column_stride] = T(from[r * cols + c]);
    });
}

}  // namespace

widened_product::widened_product(const matrix_product& narrow)
    : narrow_(narrow), wide_(dense_floats(narrow)) {}

int64_t widened_product::scratch_bytes() const {
    const matrix_product& p = narrow_;
    return room(p.m * p.k) + room(p.k * p.n) + room(p.m * p.n) + wide_.scratch_bytes();
}

void widened_product::run(void* c, const void* a, const void* b, const float* bias,
                          void* scratch) const {
    const matrix_product& p = narrow_;
    char* free = static_cast<char*>(scratch);
    const auto take = [&](int64_t numbers) {
        auto* taken = reinterpret_cast<float*>(free);
        free += room(numbers);
        return taken;
    };
    float *wide_a = take(p.m * p.k), *wide_b = take(p.k * p.n), *wide_c = take(p.m * p.n);
    widen(wide_a, a, p.m, p.k, p.a);
    widen(wide_b, b, p.k, p.n, p.b);
    if (p.accumulate) widen(wide_c, c, p.m, p.n, p.c);
    wide_.run(wide_c, wide_a, wide_b, bias, free);
    narrow(c, wide_c, p.m, p.n, p.c);
}

}  // namespace mim::cpu
