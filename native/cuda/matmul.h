// Matrix products. cuda/matmul.cu makes them with cuBLASLt; an emulator (tests) makes them plainly.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>

#include "core/matrix.h"
#include "cuda/device.h"

namespace mim::cuda {

// c (M, N) = a (M, K) b (K, N), plus bias (N) on each row, plus what c held before. Sums are kept in
// f32; products of f32 are made in f32, not in tf32.
struct matrix_product {
    int64_t m, n, k;
    matrix_layout c, a, b;
    bool bias = false;        // add a bias, of c's dtype
    bool accumulate = false;  // add to c instead of overwriting it

    auto operator<=>(const matrix_product&) const = default;
};

// The products of one device. Each is prepared once (its algorithm chosen by the library's
// heuristics) and kept. One thread at a time.
class matmul {
public:
    matmul();
    ~matmul();

    // Scratch that any product may use.
    static int64_t workspace_bytes();

    void run(const matrix_product& product, void* c, const void* a, const void* b, const void* bias,
             void* workspace, stream s);

private:
    struct library;
    std::unique_ptr<library> library_;
};

}  // namespace mim::cuda
