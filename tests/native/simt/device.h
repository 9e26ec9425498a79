// The words of cuda/device.h on the emulator.
#pragma once

#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "simt/memory.h"
#include "simt/simt.h"

// needs dim3
#include "cuda/launch_shape.h"

namespace mim::cuda {

// Work happens when it is given to a stream, or is kept while that records. A graph that is started
// and a copy into pinned memory happen as late as they can: when somebody waits for them, or the stream
// is given other work. Copies from pinned memory do so as well or, by turns, as early as they can: when
// nothing that their stream has to wait for is under way.
using work = std::function<void()>;
struct stream_t;
using stream = stream_t*;
struct moment {
    std::chrono::steady_clock::time_point when;
    bool has_come = false;
    stream on = nullptr;
};
struct pending_work {
    work does;
    std::shared_ptr<moment> behind = nullptr;  // a moment of another stream
};
struct graph_t {
    std::shared_ptr<std::vector<work>> recorded;
};
using graph = graph_t*;
struct stream_t {
    std::shared_ptr<std::vector<work>> recording;
    std::deque<pending_work> pending;
    int copied_to_device = 0;  // how often
};
struct event_t {
    std::shared_ptr<moment> recorded;
};
using event = event_t*;

namespace emulated {

inline void do_next(stream s) {
    const pending_work next = std::move(s->pending.front());
    s->pending.pop_front();
    while (next.behind != nullptr && !next.behind->has_come) do_next(next.behind->on);
    next.does();
}
inline void do_what_can_be_done(stream s) {
    while (!s->pending.empty()) {
        const auto& behind = s->pending.front().behind;
        if (behind != nullptr && !behind->has_come) return;
        do_next(s);
    }
}
inline void take(stream s, work given) {
    if (s != nullptr && s->recording != nullptr) return s->recording->push_back(std::move(given));
    while (s != nullptr && !s->pending.empty()) do_next(s);
    given();
}

template <class T>
void require_device_pointer(const launch_shape& shape, const T& argument) {
    if constexpr (std::is_pointer_v<T>) {
        if (argument != nullptr && !simt::is_device(argument))
            simt::refuse(shape.where, "it was given a pointer that is not device memory");
    }
}

template <class T>
T of_lane(const void* all, int lane) {
    T value;
    std::memcpy(&value, static_cast<const char*>(all) + lane * simt::lane_stride, sizeof value);
    return value;
}

inline float half(uint32_t pair, int which) {
    const uint32_t bits = which == 0 ? pair << 16 : pair & 0xffff0000u;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline void require_aligned(const void* address, size_t bytes) {
    if (reinterpret_cast<uintptr_t>(address) % bytes != 0)
        simt::fail("an address is not aligned to " + std::to_string(bytes) + " bytes");
}

}  // namespace emulated

template <class... P, class... A>
void launch(stream s, const launch_shape& shape, void (*kernel)(P...), A... arguments) {
    (emulated::require_device_pointer(shape, arguments), ...);
    emulated::take(s, [=] {
        simt::run(shape.grid, shape.block, shape.shared, shape.where,
                  [&] { kernel(P(arguments)...); });
    });
}

class block_memory {
public:
    template <class T>
    T* take(int64_t count) {
        return static_cast<T*>(simt::take_shared(count * int64_t(sizeof(T))));
    }
};

inline void wait_block() {
    simt::wait_for_block();
}
inline void wait_warp() {
    simt::wait_for_warp();
}

template <class T>
T shuffle(T value, int lane) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    return emulated::of_lane<T>(simt::exchange(&value, sizeof value), lane & 31);
}
template <class T>
T shuffle_xor(T value, int lanes) {
    return shuffle(value, int(simt::lane_number()) ^ lanes);
}
inline uint32_t lanes_where(bool condition) {
    const int32_t mine = condition;
    const void* all = simt::exchange(&mine, sizeof mine);
    uint32_t lanes = 0;
    for (int i = 0; i < 32; ++i) lanes |= uint32_t(emulated::of_lane<int32_t>(all, i) != 0) << i;
    return lanes;
}
inline bool any_lane(bool condition) {
    return lanes_where(condition) != 0;
}

template <class T, int n>
struct alignas(sizeof(T) * n) vector {
    T values[n];
    T& operator[](int i) { return values[i]; }
    const T& operator[](int i) const { return values[i]; }
};
template <class T, int n>
vector<T, n> load_vector(const T* from) {
    static_assert(sizeof(vector<T, n>) <= 16);
    emulated::require_aligned(from, sizeof(vector<T, n>));
    vector<T, n> v;
    std::memcpy(v.values, from, sizeof v);
    return v;
}
template <class T, int n>
void store_vector(T* to, const vector<T, n>& v) {
    emulated::require_aligned(to, sizeof v);
    std::memcpy(to, v.values, sizeof v);
}

inline float exp2_fast(float x) {
    return ::exp2f(x);
}
inline float reciprocal_fast(float x) {
    return 1 / x;
}
inline float rsqrtf(float x) {
    return 1 / ::sqrtf(x);
}

inline uint32_t pack(float low, float high) {
    return uint32_t(bf16(low).bits) | uint32_t(bf16(high).bits) << 16;
}
struct float_pair {
    float low, high;
};
inline float_pair unpack(uint32_t word) {
    return {emulated::half(word, 0), emulated::half(word, 1)};
}

namespace emulated {
inline void load_matrices(uint32_t (&r)[4], const void* row, bool turned) {
    require_aligned(row, 16);
    const void* rows = simt::exchange(&row, sizeof row);
    const int lane = int(simt::lane_number()), g = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; ++i) {
        const auto element = [&](int from_row, int column) {
            const auto* values = of_lane<const uint16_t*>(rows, i * 8 + from_row);
            return uint32_t(values[column]);
        };
        r[i] = turned ? element(2 * t, g) | element(2 * t + 1, g) << 16
                      : element(g, 2 * t) | element(g, 2 * t + 1) << 16;
    }
}
}  // namespace emulated
inline void load_matrices(uint32_t (&r)[4], const void* row) {
    emulated::load_matrices(r, row, false);
}
inline void load_matrices_turned(uint32_t (&r)[4], const void* row) {
    emulated::load_matrices(r, row, true);
}

inline void multiply_add(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    struct fragments {
        uint32_t a[4], b[2];
    } mine;
    std::memcpy(mine.a, a, sizeof a);
    std::memcpy(mine.b, b, sizeof b);
    const void* all = simt::exchange(&mine, sizeof mine);
    const int lane = int(simt::lane_number()), g = lane / 4, t = lane % 4;
    for (int column = 0; column < 2; ++column)
        for (int k4 = 0; k4 < 4; ++k4) {
            const auto left = emulated::of_lane<fragments>(all, g * 4 + k4);
            const auto right = emulated::of_lane<fragments>(all, (2 * t + column) * 4 + k4);
            for (int upper = 0; upper < 2; ++upper)  // k = 8 upper + 2 k4 + half
                for (int half = 0; half < 2; ++half) {
                    const float factor = emulated::half(right.b[upper], half);
                    c[column] += emulated::half(left.a[2 * upper], half) * factor;
                    c[2 + column] += emulated::half(left.a[2 * upper + 1], half) * factor;
                }
        }
}

inline void copy_later(void* shared, const void* global, int filled = 16) {
    emulated::require_aligned(shared, 16);
    emulated::require_aligned(global, 16);
    simt::copy_later(shared, global, 16, filled);
}
inline void close_copy_group() {
    simt::close_copy_group();
}
template <int n>
void wait_for_copies() {
    simt::wait_for_copies(n);
}

}  // namespace mim::cuda
