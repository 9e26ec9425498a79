// How the element order of a matrix is told to a product, on every backend.
#pragma once

#include <compare>
#include <cstdint>

#include "core/view.h"

namespace mim {

// Where a matrix has element (i, j): at i * row_stride + j * column_stride. One of the strides is
// 1.
struct matrix_layout {
    int32_t dtype;  // f32 or bf16
    int64_t row_stride, column_stride;

    matrix_layout transposed() const { return {dtype, column_stride, row_stride}; }
    auto operator<=>(const matrix_layout&) const = default;
};

// Rows may be strided, columns are dense. A single row has no neighbour, so its stride says nothing.
inline matrix_layout layout_of(const view& v) {
    return {v.dtype, v.shape[0] == 1 ? v.shape[1] : v.stride[0], 1};
}

}  // namespace mim
