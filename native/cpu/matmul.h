// Matrix products on oneDNN. matmul.cpp alone includes oneDNN and knows its versions apart.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>

#include "core/matrix.h"
#include "cpu/level.h"

namespace mim::cpu {

std::string matrix_library();  // "oneDNN 2.6.3"

// Before the first product of the process: nothing better than this level is used. False where it is too late.
bool limit_matmul(level most);

// c (M, N) = a (M, K) b (K, N), plus bias (N) in f32 on each row, plus what c held before. Sums are
// kept in f32.
struct matrix_product {
    int64_t m, n, k;
    matrix_layout c, a, b;
    bool bias = false;        // add a bias
    bool accumulate = false;  // add to c instead of overwriting it
    int32_t threads = 1;      // the split of the sums, and with it their bits, depends on this

    auto operator<=>(const matrix_product&) const = default;
};

class widened_product;

// A product ready to run: compiled for its sizes once, then kept for the life of the process. Safe
// from any thread.
class matmul {
public:
    // From the cache, or made now.
    static std::shared_ptr<const matmul> of(matrix_product product);

    explicit matmul(const matrix_product& product);
    ~matmul();

    int64_t scratch_bytes() const;
    // bias is null unless the product has one; scratch holds scratch_bytes(), aligned to 64.
    void run(void* c, const void* a, const void* b, const float* bias, void* scratch) const;

private:
    struct primitive;
    matrix_product product_;
    // at most one of them; none for a product that is made another way: a thin one, or oneDNN's gemm
    std::unique_ptr<const primitive> primitive_;
    std::unique_ptr<const widened_product> widened_;
};

}  // namespace mim::cpu
