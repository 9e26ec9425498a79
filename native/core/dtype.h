// Element types: bf16 storage, and the dispatch from a dtype at run time to a C++ type. Arithmetic
// is always float.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/error.h"

// bf16 is used in kernels too; a compiler for a GPU makes it for both sides.
#ifdef __CUDACC__
#define MIM_HOST_DEVICE __host__ __device__
#else
#define MIM_HOST_DEVICE
#endif

namespace mim {

// The upper half of a float, rounded to nearest even. NaN stays NaN.
struct bf16 {
    uint16_t bits = 0;

    bf16() = default;
    MIM_HOST_DEVICE explicit bf16(float value) {
#ifdef __CUDA_ARCH__
        asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
#else
        uint32_t u;
        std::memcpy(&u, &value, sizeof u);
        bits = (u & 0x7fffffffu) > 0x7f800000u ? uint16_t((u >> 16) | 0x40u)
                                               : uint16_t((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
#endif
    }
    MIM_HOST_DEVICE explicit operator float() const {
        const uint32_t u = uint32_t(bits) << 16;
        float value;
        std::memcpy(&value, &u, sizeof value);
        return value;
    }
};
static_assert(sizeof(bf16) == 2);

constexpr int64_t dtype_bytes(int32_t dtype) {
    switch (dtype) {
        case MIM_F32:
            return 4;
        case MIM_BF16:
            return 2;
        case MIM_I32:
            return 4;
        case MIM_I64:
            return 8;
        case MIM_U8:
            return 1;
        default:
            return 0;
    }
}

constexpr const char* dtype_name(int32_t dtype) {
    switch (dtype) {
        case MIM_F32:
            return "f32";
        case MIM_BF16:
            return "bf16";
        case MIM_I32:
            return "i32";
        case MIM_I64:
            return "i64";
        case MIM_U8:
            return "u8";
        default:
            return "unknown";
    }
}

template <class T>
inline constexpr int32_t dtype_of = -1;
template <>
inline constexpr int32_t dtype_of<float> = MIM_F32;
template <>
inline constexpr int32_t dtype_of<bf16> = MIM_BF16;
template <>
inline constexpr int32_t dtype_of<int32_t> = MIM_I32;
template <>
inline constexpr int32_t dtype_of<int64_t> = MIM_I64;
template <>
inline constexpr int32_t dtype_of<uint8_t> = MIM_U8;

// Calls body with a value of the storage type: float or bf16.
template <class Body>
void dispatch_dtype(int32_t dtype, Body&& body) {
    switch (dtype) {
        case MIM_F32:
            return body(float{});
        case MIM_BF16:
            return body(bf16{});
        default:
            fail_unsupported(std::string("dtype ") + dtype_name(dtype) + " is not a compute type");
    }
}

}  // namespace mim
