// cuBLASLt behind matmul.h. It thinks in columns: a row-major c = a b is the column-major
// c^T = b^T a^T, so the operands change places and a transposed reading becomes a plain one.
#include "cuda/matmul.h"

#include <cublasLt.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/error.h"

namespace mim::cuda {

namespace {

void require(cublasStatus_t status, const std::string& tried) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    if (status == CUBLAS_STATUS_ALLOC_FAILED) throw std::bad_alloc();
    throw error(MIM_ERROR_INTERNAL, tried + ": cuBLASLt says " + cublasLtGetStatusString(status));
}

std::string describe(const matrix_product& p) {
    return std::string("a product (") + std::to_string(p.m) + ", " + std::to_string(p.k) + ") x (" +
           std::to_string(p.k) + ", " + std::to_string(p.n) + ") in " + dtype_name(p.a.dtype);
}

cudaDataType_t type_of(int32_t dtype) {
    return dtype == MIM_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

// Ends a descriptor of cuBLASLt.
template <class T, cublasStatus_t (*destroy)(T)>
class owned {
public:
    owned() = default;
    ~owned() {
        if (value_ != nullptr) destroy(value_);
    }
    owned(owned&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
    owned& operator=(owned&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    operator T() const { return value_; }
    T* operator&() { return &value_; }

private:
    T value_ = nullptr;
};

using operation = owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using layout = owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using preference = owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

// A matrix of (rows, cols), whichever way it lies: turned where its rows are not dense.
struct operand {
    layout memory;
    bool is_turned;

    operand(const matrix_layout& l, int64_t rows, int64_t cols) : is_turned(l.column_stride != 1) {
        // in columns: our dense row is its column
        const int64_t dense = is_turned ? rows : cols, strided = is_turned ? cols : rows;
        const int64_t stride = is_turned ? l.column_stride : l.row_stride;
        require(cublasLtMatrixLayoutCreate(&memory, type_of(l.dtype), uint64_t(dense),
                                           uint64_t(strided), std::max(stride, dense)),
                "describing a matrix");
    }
};

template <class T>
void set(const operation& o, cublasLtMatmulDescAttributes_t attribute, T value) {
    require(cublasLtMatmulDescSetAttribute(o, attribute, &value, sizeof value),
            "describing a product");
}

// To how many bytes c, a and b are aligned, 16 at most: an algorithm may need that much.
using alignments = std::array<uint32_t, 3>;

uint32_t alignment_of(const void* address) {
    const auto bits = reinterpret_cast<uintptr_t>(address) | 16;
    return uint32_t(bits & -bits);
}

struct prepared {
    operation description;
    operand c, a, b;
    cublasLtMatmulAlgo_t algorithm;

    prepared(cublasLtHandle_t handle, const matrix_product& p, const alignments& aligned)
        : c(p.c, p.m, p.n), a(p.a, p.m, p.k), b(p.b, p.k, p.n) {
        require(cublasLtMatmulDescCreate(&description, CUBLAS_COMPUTE_32F, CUDA_R_32F),
                describe(p));
        set(description, CUBLASLT_MATMUL_DESC_TRANSA, b.is_turned ? CUBLAS_OP_T : CUBLAS_OP_N);
        set(description, CUBLASLT_MATMUL_DESC_TRANSB, a.is_turned ? CUBLAS_OP_T : CUBLAS_OP_N);
        if (p.bias) set(description, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
        preference wanted;
        require(cublasLtMatmulPreferenceCreate(&wanted), describe(p));
        const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
            require(cublasLtMatmulPreferenceSetAttribute(wanted, attribute, &value, sizeof value),
                    describe(p));
        };
        prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t(matmul::workspace_bytes()));
        prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, aligned[2]);
        prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, aligned[1]);
        prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, aligned[0]);
        prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, aligned[0]);
        cublasLtMatmulHeuristicResult_t found[1];
        int count = 0;
        require(cublasLtMatmulAlgoGetHeuristic(handle, description, b.memory, a.memory, c.memory,
                                               c.memory, wanted, 1, found, &count),
                describe(p));
        if (count == 0) fail_unsupported("cuBLASLt has no algorithm for " + describe(p));
        algorithm = found[0].algo;
    }
};

}  // namespace

struct matmul::library {
    cublasLtHandle_t handle = nullptr;
    std::map<std::pair<matrix_product, alignments>, prepared> products;

    library() { require(cublasLtCreate(&handle), "starting cuBLASLt"); }
    ~library() { cublasLtDestroy(handle); }
};

matmul::matmul() : library_(std::make_unique<library>()) {}
matmul::~matmul() = default;

int64_t matmul::workspace_bytes() {
    return int64_t(32) << 20;  // what NVIDIA advises for Hopper
}

void matmul::run(const matrix_product& p, void* c, const void* a, const void* b, const void* bias,
                 void* workspace, stream s) {
    const alignments aligned = {alignment_of(c), alignment_of(a), alignment_of(b)};
    const auto key = std::pair(p, aligned);
    auto found = library_->products.find(key);
    if (found == library_->products.end())
        found = library_->products.emplace(key, prepared(library_->handle, p, aligned)).first;
    const prepared& product = found->second;
    if (p.bias) set(product.description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    const float one = 1, kept = p.accumulate ? 1 : 0;
    require(cublasLtMatmul(library_->handle, product.description, &one, b, product.b.memory, a,
                           product.a.memory, &kept, c, product.c.memory, c, product.c.memory,
                           &product.algorithm, workspace, size_t(workspace_bytes()), s),
            describe(p));
}

}  // namespace mim::cuda
