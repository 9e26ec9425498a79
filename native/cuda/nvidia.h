// The words of cuda/device.h for nvcc: intrinsics and a few instructions of PTX (sm_80 and later).
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>

#include "core/dtype.h"
#include "cuda/launch_shape.h"

namespace mim::cuda {

using stream = cudaStream_t;
using event = cudaEvent_t;
using graph = cudaGraphExec_t;

// Throws mim::error with what was tried and CUDA's own words.
void require(cudaError_t status, const std::string& tried);

template <class... P, class... A>
void launch(stream s, const launch_shape& shape, void (*kernel)(P...), A... arguments) {
    constexpr int64_t always_allowed = 48 << 10;
    if (shape.shared > always_allowed)
        require(
            cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                 cudaFuncAttributeMaxDynamicSharedMemorySize, int(shape.shared)),
            place_of(shape.where));
    kernel<<<shape.grid, shape.block, size_t(shape.shared), s>>>(P(arguments)...);
    if (const cudaError_t status = cudaGetLastError(); status != cudaSuccess)
        require(status, place_of(shape.where));
}

extern __shared__ __align__(128) unsigned char shared_memory_of_block[];

class block_memory {
public:
    template <class T>
    __device__ T* take(int64_t count) {
        T* piece = reinterpret_cast<T*>(shared_memory_of_block + used_);
        used_ += int(shared_bytes<T>(count));
        return piece;
    }

private:
    int used_ = 0;
};

inline __device__ void wait_block() {
    __syncthreads();
}
inline __device__ void wait_warp() {
    __syncwarp();
}

constexpr unsigned whole_warp = 0xffffffffu;

template <class T>
__device__ T shuffle(T value, int lane) {
    return __shfl_sync(whole_warp, value, lane);
}
template <class T>
__device__ T shuffle_xor(T value, int lanes) {
    return __shfl_xor_sync(whole_warp, value, lanes);
}
inline __device__ uint32_t lanes_where(bool condition) {
    return __ballot_sync(whole_warp, condition);
}
inline __device__ bool any_lane(bool condition) {
    return __any_sync(whole_warp, condition);
}

template <class T, int n>
struct alignas(sizeof(T) * n) vector {
    T values[n];
    __device__ T& operator[](int i) { return values[i]; }
    __device__ const T& operator[](int i) const { return values[i]; }
};

// The machine word of so many bytes: loads and stores of it are one instruction.
template <int bytes>
struct word_of;
template <>
struct word_of<16> {
    using type = uint4;
};
template <>
struct word_of<8> {
    using type = uint2;
};
template <>
struct word_of<4> {
    using type = unsigned;
};
template <>
struct word_of<2> {
    using type = unsigned short;
};
template <>
struct word_of<1> {
    using type = unsigned char;
};

template <class T, int n>
__device__ vector<T, n> load_vector(const T* from) {
    using word = typename word_of<int(sizeof(T)) * n>::type;
    const word w = *reinterpret_cast<const word*>(from);
    return reinterpret_cast<const vector<T, n>&>(w);
}
template <class T, int n>
__device__ void store_vector(T* to, const vector<T, n>& v) {
    using word = typename word_of<int(sizeof(T)) * n>::type;
    *reinterpret_cast<word*>(to) = reinterpret_cast<const word&>(v);
}

inline __device__ float exp2_fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

inline __device__ float reciprocal_fast(float x) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

inline __device__ uint32_t pack(float low, float high) {
    uint32_t word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
}
struct float_pair {
    float low, high;
};
inline __device__ float_pair unpack(uint32_t word) {
    return {__uint_as_float(word << 16), __uint_as_float(word & 0xffff0000u)};
}

inline __device__ unsigned shared_address(const void* shared) {
    return unsigned(__cvta_generic_to_shared(shared));
}

inline __device__ void load_matrices(uint32_t (&r)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}
inline __device__ void load_matrices_turned(uint32_t (&r)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

inline __device__ void multiply_add(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
        "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

inline __device__ void copy_later(void* shared, const void* global, int filled = 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
                 "l"(global), "r"(filled)
                 : "memory");
}
inline __device__ void close_copy_group() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int n>
__device__ void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(n) : "memory");
}

}  // namespace mim::cuda
