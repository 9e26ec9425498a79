// A product of bf16 where oneDNN has none (it asks for AVX-512): of copies in f32, rounded at the end.
// Slower than f32 by those copies, and there so that a run in bf16 goes on on every processor.
#pragma once

#include "cpu/matmul.h"

namespace mim::cpu {

class widened_product {
public:
    explicit widened_product(const matrix_product& narrow);

    int64_t scratch_bytes() const;  // the copies and what their product needs
    void run(void* c, const void* a, const void* b, const float* bias, void* scratch) const;

private:
    matrix_product narrow_;
    matmul wide_;
};

}  // namespace mim::cpu
