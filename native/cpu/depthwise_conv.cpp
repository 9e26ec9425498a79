// Masked depthwise convolution on the CPU. A thread walks down the rows of a map with a window of k
// rows beside it: some channels of them, as masked floats with zeros around, so that the sums need to
// look at neither edges nor mask. The gradient of x is the same convolution of dy with w turned
// around, masked at its end; that of w multiplies the window of x with rows of dy.
#include <algorithm>

#include "cpu/column_sums.h"
#include "cpu/depthwise_conv.h"
#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/depthwise_conv.cpp"
#include "hwy/foreach_target.h"  // stays ahead of the others

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// to[j,c] = from[j,c] keep[j] for a row of `width` tokens, `count` channels of each; whole vectors are
// written, with zeros behind the channels.
template <class T>
HWY_INLINE void unpack_row(float* to, const T* from, const float* keep, const token_maps& maps,
                           int64_t count) {
    const float_lanes d;
    for (int64_t j = 0; j < maps.width; ++j) {
        const float_vector factor = hn::Set(d, keep == nullptr ? 1.0f : keep[j]);
        for (int64_t c = 0; c < count; c += lane_count())
            store(hn::Mul(load_some(d, from + j * maps.channels + c, count - c), factor), d,
                  to + j * maps.stride + c);
    }
}

// The k rows around one row of a map.
template <class T>
class row_window {
public:
    row_window(const token_maps& maps, float* memory, const T* from, const float* keep)
        : maps_(maps), memory_(memory), from_(from), keep_(keep) {
        std::fill_n(memory, maps.window(), 0.0f);  // the edges are never written again
    }

    // Units come in their order; the window begins anew with the first of them and with each map.
    void move_to(const map_row& at, bool begins) {
        const int64_t radius = maps_.radius();
        if (begins || at.row == 0)
            for (int64_t row = at.row - radius; row < at.row + radius; ++row) take(at, row);
        take(at, at.row + radius);
        for (int64_t p = 0; p < maps_.kernel; ++p)
            rows_[p] = memory_ + (at.row + p) % maps_.kernel * maps_.window_row();
    }

    // Row p of the window: row - radius + p of the map, from its edge on the left.
    const float* row(int64_t p) const { return rows_[p]; }

private:
    void take(const map_row& at, int64_t row) {
        const int64_t radius = maps_.radius(), width = maps_.width;
        float* to =
            memory_ + (row + radius) % maps_.kernel * maps_.window_row() + radius * maps_.stride;
        if (row < 0 || row >= maps_.height) {
            std::fill_n(to, width * maps_.stride, 0.0f);
            return;
        }
        const int64_t token = (at.image * maps_.height + row) * width;
        unpack_row(to, from_ + token * maps_.channels + at.first,
                   keep_ == nullptr ? nullptr : keep_ + token, maps_, at.count);
    }

    const token_maps& maps_;
    float* memory_;
    const T* from_;
    const float* keep_;
    const float* rows_[11];
};

// n neighbouring tokens of a row of results, from column j on: n sums a vector of channels, each
// weight read once for all of them.
template <int n, class T>
HWY_INLINE void convolve_tokens(T* to, const row_window<T>& window, const convolution& conv,
                                const float* keep, const token_maps& maps, const map_row& at,
                                int64_t j) {
    const float_lanes d;
    for (int64_t c = 0; c < at.count; c += lane_count()) {
        const int64_t left = at.count - c;
        const float_vector start =
            conv.bias == nullptr ? hn::Zero(d) : load_some(d, conv.bias + at.first + c, left);
        float_vector sums[n];
        for (int i = 0; i < n; ++i) sums[i] = start;
        const float* weight = conv.weights + at.first * maps.taps() + c;
        for (int64_t p = 0; p < maps.kernel; ++p) {
            const float* x = window.row(p) + j * maps.stride + c;
            for (int64_t q = 0; q < maps.kernel; ++q, x += maps.stride, weight += at.padded) {
                const float_vector w = load(d, weight);
                for (int i = 0; i < n; ++i)
                    sums[i] = hn::MulAdd(w, load(d, x + i * maps.stride), sums[i]);
            }
        }
        for (int i = 0; i < n; ++i) {
            if (keep != nullptr) sums[i] = hn::Mul(sums[i], hn::Set(d, keep[j + i]));
            store_some(sums[i], d, to + (j + i) * maps.channels + c, left);
        }
    }
}

void convolve(const context& ctx, const token_maps& maps, const convolution& conv) {
    dispatch_dtype(conv.to->dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_ranges(
            ctx, maps.units(), rows_per_block,
            [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
                row_window<T> window(maps, conv.windows + thread * maps.window(),
                                     data<T>(*conv.from), conv.keep_from);
                for (int64_t unit = begin; unit < end; ++unit) {
                    const map_row at(maps, unit);
                    window.move_to(at, unit == begin);
                    const int64_t token = (at.image * maps.height + at.row) * maps.width;
                    T* to = data<T>(*conv.to) + token * maps.channels + at.first;
                    const float* keep = conv.keep_to == nullptr ? nullptr : conv.keep_to + token;
                    int64_t j = 0;
                    for (; j + 8 <= maps.width; j += 8)
                        convolve_tokens<8>(to, window, conv, keep, maps, at, j);
                    for (; j + 2 <= maps.width; j += 2)
                        convolve_tokens<2>(to, window, conv, keep, maps, at, j);
                    if (j < maps.width) convolve_tokens<1>(to, window, conv, keep, maps, at, j);
                }
            });
    });
}

// sums[p,q,c] += sum_j dy[j,c] x[p,j+q,c] for `rows` rows p of the window, a vector of channels: as
// many running sums as the taps of those rows.
template <int k, int rows, class T>
HWY_INLINE void add_tap_sums(float* sums, const float* dy, const row_window<T>& window,
                             const token_maps& maps, const map_row& at, int64_t p, int64_t c) {
    const float_lanes d;
    float_vector taps[rows][k];
    const float* x[rows];
    for (int a = 0; a < rows; ++a) {
        x[a] = window.row(p + a) + c;
        for (int q = 0; q < k; ++q) taps[a][q] = hn::Zero(d);
    }
    for (int64_t j = 0; j < maps.width; ++j) {
        const float_vector g = load(d, dy + j * maps.stride + c);
        for (int a = 0; a < rows; ++a)
            for (int q = 0; q < k; ++q)
                taps[a][q] = hn::MulAdd(g, load(d, x[a] + (j + q) * maps.stride), taps[a][q]);
    }
    for (int a = 0; a < rows; ++a)
        for (int q = 0; q < k; ++q) {
            float* sum = sums + at.first * k * k + ((p + a) * k + q) * at.padded + c;
            store(hn::Add(load(d, sum), taps[a][q]), d, sum);
        }
}

template <int k, class T>
HWY_INLINE void add_weight_gradient(float* sums, const float* dy, const row_window<T>& window,
                                    const token_maps& maps, const map_row& at) {
    constexpr int pair = k > 1 && k <= 7 ? 2 : 1;  // two rows: more sums that wait for nobody
    for (int64_t c = 0; c < at.count; c += lane_count()) {
        int64_t p = 0;
        for (; p + pair <= k; p += pair) add_tap_sums<k, pair>(sums, dy, window, maps, at, p, c);
        if (p < k) add_tap_sums<k, 1>(sums, dy, window, maps, at, p, c);
    }
}

// sums[c] += sum_j dy[j,c]
HWY_INLINE void add_bias_gradient(float* sums, const float* dy, const token_maps& maps,
                                  const map_row& at) {
    const float_lanes d;
    for (int64_t c = 0; c < at.count; c += lane_count()) {
        float_vector sum = hn::Zero(d);
        for (int64_t j = 0; j < maps.width; ++j)
            sum = hn::Add(sum, load(d, dy + j * maps.stride + c));
        float* all = sums + at.first + c;
        store(hn::Add(load(d, all), sum), d, all);
    }
}

// The sums of w (as weights lie in a convolution) and of the bias (padded channels), where they are wanted. Each
// thread's memory is a window and one row of dy.
void sum_gradients(const context& ctx, const token_maps& maps, const column_sums& weight_sums,
                   const column_sums& bias_sums, const view& dy, const view& x, const float* keep,
                   float* memory) {
    dispatch_dtype(x.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_ranges(
            ctx, maps.units(), rows_per_block,
            [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
                float* own = memory + thread * (maps.window() + maps.width * maps.stride);
                float* row = own + maps.window();
                row_window<T> window(maps, own, data<T>(x), keep);
                float *weights = weight_sums.part(thread), *bias = bias_sums.part(thread);
                for (int64_t unit = begin; unit < end; ++unit) {
                    const map_row at(maps, unit);
                    const int64_t token = (at.image * maps.height + at.row) * maps.width;
                    unpack_row(row, data<T>(dy) + token * maps.channels + at.first, nullptr, maps,
                               at.count);
                    if (bias != nullptr) add_bias_gradient(bias, row, maps, at);
                    if (weights == nullptr) continue;
                    window.move_to(at, unit == begin);
                    switch (maps.kernel) {
                        case 1:
                            add_weight_gradient<1>(weights, row, window, maps, at);
                            break;
                        case 3:
                            add_weight_gradient<3>(weights, row, window, maps, at);
                            break;
                        case 5:
                            add_weight_gradient<5>(weights, row, window, maps, at);
                            break;
                        case 7:
                            add_weight_gradient<7>(weights, row, window, maps, at);
                            break;
                        case 9:
                            add_weight_gradient<9>(weights, row, window, maps, at);
                            break;
                        case 11:
                            add_weight_gradient<11>(weights, row, window, maps, at);
                            break;
                    }
                }
            });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(convolve);
HWY_EXPORT(sum_gradients);

namespace {

// Calls body(place in (C, k, k), place in the weights of a convolution).
template <class Body>
void for_each_weight(const token_maps& maps, Body&& body) {
    const int64_t taps = maps.taps();
    for (int64_t c = 0; c < maps.channels; ++c) {
        const int64_t first = c / maps.piece * maps.piece;
        const int64_t stride = std::min(maps.piece, maps.padded - first);
        for (int64_t tap = 0; tap < taps; ++tap)
            body(c * taps + tap, first * taps + tap * stride + c - first);
    }
}

// Zeros lie behind the channels; `around` turns each kernel by half a circle.
void arrange_weights(float* to, const float* w, const token_maps& maps, bool around) {
    const int64_t taps = maps.taps();
    std::fill_n(to, taps * maps.padded, 0.0f);
    for_each_weight(maps, [&](int64_t from, int64_t place) {
        to[place] = w[around ? from / taps * taps + taps - 1 - from % taps : from];
    });
}

}  // namespace

void processor::depthwise_conv_forward(context& ctx, const view& y, const view& x, const view& w,
                                       const view* bias, const view* keep,
                                       const mim_depthwise_conv_params& params) {
    const token_maps maps(x, params.kernel);
    float* weights = ctx.scratch<float>(maps.taps() * maps.padded);
    float* windows = ctx.scratch<float>(ctx.threads() * maps.window());
    if (ctx.planning()) return;
    arrange_weights(weights, data<float>(w), maps, /*around=*/false);
    HWY_DYNAMIC_DISPATCH(convolve)
    (ctx, maps, {&y, &x, weights, data<float>(bias), data<float>(keep), nullptr, windows});
}

void processor::depthwise_conv_backward(context& ctx, const view* dx, const view* dw,
                                        const view* dbias, const view& dy, const view& x,
                                        const view& w, const view* keep,
                                        const mim_depthwise_conv_params& params) {
    const token_maps maps(x, params.kernel);
    float* weights = ctx.scratch<float>(maps.taps() * maps.padded);
    float* memory = ctx.scratch<float>(ctx.threads() * (maps.window() + maps.width * maps.stride));
    column_sums weight_sums(ctx, maps.taps() * maps.padded, dw != nullptr);
    column_sums bias_sums(ctx, maps.padded, dbias != nullptr);
    if (ctx.planning()) return;
    if (dx != nullptr) {
        arrange_weights(weights, data<float>(w), maps, /*around=*/true);
        HWY_DYNAMIC_DISPATCH(convolve)
        (ctx, maps, {dx, &dy, weights, nullptr, nullptr, data<float>(keep), memory});
    }
    if (dw == nullptr && dbias == nullptr) return;
    weight_sums.clear();
    bias_sums.clear();
    HWY_DYNAMIC_DISPATCH(sum_gradients)
    (ctx, maps, weight_sums, bias_sums, dy, x, data<float>(keep), memory);
    if (dw != nullptr) {
        std::fill_n(weights, maps.taps() * maps.padded, 0.0f);
        weight_sums.add_to(ctx, weights);
        for_each_weight(maps,
                        [&](int64_t to, int64_t place) { data<float>(*dw)[to] += weights[place]; });
    }
    if (dbias != nullptr) {
        std::fill_n(weights, maps.padded, 0.0f);
        bias_sums.add_to(ctx, weights);
        for (int64_t c = 0; c < maps.channels; ++c) data<float>(*dbias)[c] += weights[c];
    }
}

}  // namespace mim::cpu
#endif
