// Memory read and written 16 bytes at a time, as floats: for passes that memory bounds.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "cuda/device.h"

namespace mim::cuda {

// What 16 bytes hold.
template <class T>
constexpr int per_vector = 16 / int(sizeof(T));

// 16 bytes as they lie in memory: half the registers of their floats where T is bf16.
using raw_vector = vector<uint32_t, 4>;

template <class T>
__device__ raw_vector load_raw(const T* from) {
    return load_vector<uint32_t, 4>(reinterpret_cast<const uint32_t*>(from));
}
template <class T>
__device__ void store_raw(T* to, const raw_vector& words) {
    store_vector(reinterpret_cast<uint32_t*>(to), words);
}

template <class T>
__device__ void to_floats(float* to, const raw_vector& words) {
#pragma unroll
    for (int i = 0; i < 4; ++i)
        if constexpr (sizeof(T) == 4) {
            memcpy(&to[i], &words.values[i], sizeof(float));
        } else {
            const float_pair pair = unpack(words[i]);
            to[2 * i] = pair.low;
            to[2 * i + 1] = pair.high;
        }
}
template <class T>
__device__ raw_vector to_raw(const float* from) {
    raw_vector words;
#pragma unroll
    for (int i = 0; i < 4; ++i)
        if constexpr (sizeof(T) == 4)
            memcpy(&words.values[i], &from[i], sizeof(float));
        else
            words[i] = pack(from[2 * i], from[2 * i + 1]);
    return words;
}

// n neighbouring values: one, or whole vectors.
template <int n, class T>
__device__ void load_floats(float (&to)[n], const T* from) {
    if constexpr (n == 1) {
        to[0] = float(from[0]);
    } else {
        static_assert(n % per_vector<T> == 0);
#pragma unroll
        for (int i = 0; i < n; i += per_vector<T>) to_floats<T>(to + i, load_raw(from + i));
    }
}
template <int n, class T>
__device__ void store_floats(T* to, const float (&from)[n]) {
    if constexpr (n == 1) {
        to[0] = T(from[0]);
    } else {
        static_assert(n % per_vector<T> == 0);
#pragma unroll
        for (int i = 0; i < n; i += per_vector<T>) store_raw(to + i, to_raw<T>(from + i));
    }
}

// Whether vectors may begin at all of these; null stands for what is absent.
inline bool aligned_to_vectors(std::initializer_list<const void*> addresses) {
    uintptr_t bits = 0;
    for (const void* address : addresses) bits |= reinterpret_cast<uintptr_t>(address);
    return bits % 16 == 0;
}

}  // namespace mim::cuda
