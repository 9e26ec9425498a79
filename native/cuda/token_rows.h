// What the token ops share: rows of numbers in pieces of 16 bytes, and the way back from ids to the
// rows that name them.
#pragma once

#include <initializer_list>
#include <type_traits>

#include "cuda/gpu.h"
#include "cuda/vectors.h"

namespace mim::cuda {

// Calls body with how many T of a row a thread takes at once: 16 bytes of them, where every row of
// `count` begins at such an address, else 1. Null addresses are those of absent views.
template <class T, class Body>
void dispatch_width(int64_t count, std::initializer_list<const void*> addresses, Body&& body) {
    if (count % per_vector<T> == 0 && aligned_to_vectors(addresses))
        return body(std::integral_constant<int, per_vector<T>>{});
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
