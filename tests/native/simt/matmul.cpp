// Matrix products in plain loops behind cuda/matmul.h: each sum in f32, in the order of k.
#include "cuda/matmul.h"

#include <stdexcept>
#include <vector>

#include "core/dtype.h"

namespace mim::cuda {

struct matmul::library {};
matmul::matmul() = default;
matmul::~matmul() = default;
int64_t matmul::workspace_bytes() {
    return 64;
}

namespace {

std::vector<float> floats(const void* from, const matrix_layout& layout, int64_t rows,
                          int64_t cols) {
    std::vector<float> values(size_t(rows * cols));
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < cols; ++j) {
            const int64_t at = i * layout.row_stride + j * layout.column_stride;
            values[size_t(i * cols + j)] = layout.dtype == MIM_BF16
                                               ? float(static_cast<const bf16*>(from)[at])
                                               : static_cast<const float*>(from)[at];
        }
    return values;
}

void multiply(const matrix_product& p, void* c, const void* a, const void* b, const void* bias);

}  // namespace

void matmul::run(const matrix_product& p, void* c, const void* a, const void* b, const void* bias,
                 void* workspace, stream s) {
    if (workspace == nullptr || !simt::is_device(workspace) || !simt::is_device(c) ||
        !simt::is_device(a) || !simt::is_device(b))
        throw std::logic_error("a matrix product was given a pointer that is no device memory");
    if (p.bias != (bias != nullptr) || p.c.column_stride != 1)
        throw std::logic_error("a matrix product was given other arguments than it says");
    emulated::take(s, [=] { multiply(p, c, a, b, bias); });
}

namespace {

void multiply(const matrix_product& p, void* c, const void* a, const void* b, const void* bias) {
    simt::access device;
    const std::vector<float> left = floats(a, p.a, p.m, p.k), right = floats(b, p.b, p.k, p.n);
    std::vector<float> offset(size_t(p.n), 0.0f);
    if (bias != nullptr) offset = floats(bias, {p.c.dtype, 0, 1}, 1, p.n);
    std::vector<float> row(size_t(p.n));
    for (int64_t i = 0; i < p.m; ++i) {
        std::fill(row.begin(), row.end(), 0.0f);
        for (int64_t l = 0; l < p.k; ++l) {
            const float factor = left[size_t(i * p.k + l)];
            for (int64_t j = 0; j < p.n; ++j) row[size_t(j)] += factor * right[size_t(l * p.n + j)];
        }
        for (int64_t j = 0; j < p.n; ++j) {
            const int64_t at = i * p.c.row_stride + j;
            const float value = row[size_t(j)] + offset[size_t(j)];
            if (p.c.dtype == MIM_BF16) {
                auto* to = static_cast<bf16*>(c) + at;
                *to = bf16(value + (p.accumulate ? float(*to) : 0.0f));
            } else {
                auto* to = static_cast<float*>(c) + at;
                *to = value + (p.accumulate ? *to : 0.0f);
            }
        }
    }
    device.check();
}

}  // namespace

}  // namespace mim::cuda
