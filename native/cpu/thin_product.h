// Matrix products with an extent of 1: a vector times a matrix, or an outer product.
#pragma once

#include "cpu/matmul.h"

namespace mim::cpu {

// A vector has a stride that says nothing along its extent of 1, and oneDNN's kernels for vectors,
// which differ from version to version, have read the wrong one of the two (3.7 writes a strided
// column as if it were dense). These products are small; they are made here, on the calling thread.
inline bool is_thin(const matrix_product& p) {
    return p.m == 1 || p.n == 1 || p.k == 1;
}

void thin_product(const matrix_product& p, void* c, const void* a, const void* b,
                  const float* bias);

}  // namespace mim::cpu
