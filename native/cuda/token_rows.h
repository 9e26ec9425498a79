// What the token ops share: rows of numbers in pieces of 16 bytes, and the way back from ids to the
// rows that name them.
#pragma once

#include <initializer_list>
#include <type_traits>

#include "cuda/gpu.h"

namespace mim::cuda {

template <int n>
struct floats {
    float values[n];
    __device__ float& operator[](int i) { return values[i]; }
    __device__ const float& operator[](int i) const { return values[i]; }
};

// n numbers in a row; where n is not 1, `from` is aligned to 16 bytes, or to n numbers if that is
// less.
template <int n, class T>
__device__ floats<n> load_floats(const T* from) {
    constexpr int at_once = n * int(sizeof(T)) <= 16 ? n : 16 / int(sizeof(T));
    floats<n> all;
    for (int i = 0; i < n; i += at_once) {
        const vector<T, at_once> part = load_vector<T, at_once>(from + i);
        for (int j = 0; j < at_once; ++j) all[i + j] = float(part[j]);
    }
    return all;
}
template <int n, class T>
__device__ void store_floats(T* to, const floats<n>& all) {
    constexpr int at_once = n * int(sizeof(T)) <= 16 ? n : 16 / int(sizeof(T));
    for (int i = 0; i < n; i += at_once) {
        vector<T, at_once> part;
        for (int j = 0; j < at_once; ++j) part[j] = T(all[i + j]);
        store_vector(to + i, part);
    }
}

// Calls body with how many T of a row a thread takes at once: 16 bytes of them, where every row of
// `count` begins at such an address, else 1. Null addresses are those of absent views.
template <class T, class Body>
void dispatch_width(int64_t count, std::initializer_list<const void*> addresses, Body&& body) {
    constexpr int wide = 16 / int(sizeof(T));
    bool aligned = count % wide == 0;
    for (const void* address : addresses)
        aligned = aligned && reinterpret_cast<uintptr_t>(address) % 16 == 0;
    if (aligned) return body(std::integral_constant<int, wide>{});
    body(std::integral_constant<int, 1>{});
}

// A block for a row that is taken in so many pieces, each by one thread.
inline unsigned threads_for(int64_t pieces, int64_t most = 256) {
    const int64_t whole_warps = (pieces + 31) / 32 * 32;
    return unsigned(whole_warps < most ? whole_warps : most);
}

// For each image, from the values of ids (B, K) back to their places: the first place that holds a
// value, and from each place the next that holds the same.
struct id_places {
    int32_t *first, *next;  // (B, limit), (B, K); -1 for none. Null: place and value are the same
    int64_t kept, limit;

    // Takes scratch where ids are given.
    id_places(context& ctx, const view* ids, int64_t limit);
    // What lies outside of 0 .. limit - 1 is left out, or counted as the nearest of them.
    void fill(gpu& device, const view* ids, bool clamped = false) const;

    __device__ int64_t first_of(int64_t image, int64_t value) const {
        return first == nullptr ? value : first[image * limit + value];
    }
    __device__ int64_t next_of(int64_t image, int64_t place) const {
        return first == nullptr ? -1 : next[image * kept + place];
    }
};

}  // namespace mim::cuda
