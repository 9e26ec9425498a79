// The ceiling of the CPU: register loops for the arithmetic, streams through memory for the rest.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <chrono>

#include "cpu/parallel.h"
#include "cpu/processor.h"
#include "hwy/cache_control.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/ceiling.cpp"
#include "hwy/foreach_target.h"

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// Twelve chains: more than latency times units of any processor so far, and within 16 registers.
// They begin with different numbers, or the compiler would see one chain and compute no other. Each
// product is 1 - 2^-23 of the sum before it, so nothing overflows or becomes denormal. Returns the
// operations; the sums go to `sink`, or the loop would be no one's.
double multiply_add(int64_t rounds, float* sink) {
    const float_lanes d;
    const auto factor = hn::Set(d, 0.99999988f), term = hn::Set(d, sink[12]);
    auto a0 = hn::Set(d, sink[0]);
    auto a1 = hn::Set(d, sink[1]);
    auto a2 = hn::Set(d, sink[2]);
    auto a3 = hn::Set(d, sink[3]);
    auto a4 = hn::Set(d, sink[4]);
    auto a5 = hn::Set(d, sink[5]);
    auto a6 = hn::Set(d, sink[6]);
    auto a7 = hn::Set(d, sink[7]);
    auto a8 = hn::Set(d, sink[8]);
    auto a9 = hn::Set(d, sink[9]);
    auto a10 = hn::Set(d, sink[10]);
    auto a11 = hn::Set(d, sink[11]);
    for (int64_t i = 0; i < rounds; ++i) {
        a0 = hn::MulAdd(a0, factor, term);
        a1 = hn::MulAdd(a1, factor, term);
        a2 = hn::MulAdd(a2, factor, term);
        a3 = hn::MulAdd(a3, factor, term);
        a4 = hn::MulAdd(a4, factor, term);
        a5 = hn::MulAdd(a5, factor, term);
        a6 = hn::MulAdd(a6, factor, term);
        a7 = hn::MulAdd(a7, factor, term);
        a8 = hn::MulAdd(a8, factor, term);
        a9 = hn::MulAdd(a9, factor, term);
        a10 = hn::MulAdd(a10, factor, term);
        a11 = hn::MulAdd(a11, factor, term);
    }
    const auto low = hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(a4, a5));
    const auto high = hn::Add(hn::Add(hn::Add(a6, a7), hn::Add(a8, a9)), hn::Add(a10, a11));
    sink[0] = sum_of_lanes(d, hn::Add(low, high));
    return double(rounds) * 12 * 2 * double(lane_count());
}

// Four places of the range at once: one stream alone waits for memory more than it moves.
void read_floats(const float* x, int64_t count, float* sink) {
    const float_lanes d;
    const int64_t lanes = lane_count(), part = count / 64 * 16;
    auto a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0;
    for (int64_t i = 0; i < part; i += lanes) {
        a0 = hn::Add(a0, hn::Load(d, x + i));
        a1 = hn::Add(a1, hn::Load(d, x + part + i));
        a2 = hn::Add(a2, hn::Load(d, x + 2 * part + i));
        a3 = hn::Add(a3, hn::Load(d, x + 3 * part + i));
    }
    sink[0] = sum_of_lanes(d, hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)));
}

void scale_floats(float* x, int64_t count) {
    const float_lanes d;
    const int64_t lanes = lane_count(), part = count / 64 * 16;
    const auto scale = hn::Set(d, 0.5f);
    for (int64_t i = 0; i < part; i += lanes)
        for (int64_t j = i; j < 4 * part; j += part)
            hn::Store(hn::Mul(scale, hn::Load(d, x + j)), d, x + j);
}

void triad_floats(float* a, const float* b, const float* c, int64_t count) {
    const float_lanes d;
    const int64_t lanes = lane_count(), part = count / 64 * 16;
    const auto scale = hn::Set(d, 3.0f);
    for (int64_t i = 0; i < part; i += lanes)
        for (int64_t j = i; j < 4 * part; j += part)
            hn::Stream(hn::MulAdd(scale, hn::Load(d, c + j), hn::Load(d, b + j)), d, a + j);
    hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(multiply_add);
HWY_EXPORT(read_floats);
HWY_EXPORT(scale_floats);
HWY_EXPORT(triad_floats);

namespace {

constexpr int repetitions = 7;

// Two dot products a cycle at most: ten chains hide their latency.
#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bf16"))) double dot_bf16(int64_t rounds, float* sink) {
    const __m512 term = _mm512_set1_ps(sink[12]);
    const __m512bh x = _mm512_cvtne2ps_pbh(term, term);
    __m512 a[10];
    for (int i = 0; i < 10; ++i) a[i] = _mm512_set1_ps(sink[i]);
    for (int64_t i = 0; i < rounds; ++i)
        for (__m512& sum : a) sum = _mm512_dpbf16_ps(sum, x, x);
    __m512 total = a[0];
    for (int i = 1; i < 10; ++i) total = _mm512_add_ps(total, a[i]);
    _mm512_storeu_ps(sink, total);
    return double(rounds) * 10 * 16 * 2 * 2;
}
#else
double dot_bf16(int64_t, float*) {
    return 0;
}
#endif

// The best rate of several repetitions, each run by all threads at once; the threads wait for each
// other before the clock starts. work(thread) returns what it did.
template <class Work>
double best_rate(const context& ctx, Work&& work) {
    using clock = std::chrono::steady_clock;
    double best = 0;
    for (int i = 0; i < repetitions; ++i) {
        double amount = 0;
        clock::time_point start;
#pragma omp parallel num_threads(ctx.threads()) reduction(+ : amount)
        {
#pragma omp barrier
#pragma omp master
            start = clock::now();
            amount += work(omp_get_thread_num());
        }
        const double seconds = std::chrono::duration<double>(clock::now() - start).count();
        best = std::max(best, amount / seconds);
    }
    return best;
}

}  // namespace

void processor::measure_ceiling(context& ctx, mim_ceiling& ceiling) {
    constexpr double giga = 1e9;
    constexpr int64_t rounds = 1 << 20;     // about 10 ms
    constexpr int64_t stream = 32ll << 20;  // floats: 128 MiB, beyond the caches
    if (ctx.planning()) return;

    const auto arithmetic = [&](auto&& loop) {
        return best_rate(ctx, [&](int) {
            float sink[16];
            for (int i = 0; i < 16; ++i) sink[i] = 1e-6f * float(i + 1);
            return loop(rounds, sink);
        });
    };
    ceiling.f32_gflops = float(arithmetic(HWY_DYNAMIC_DISPATCH(multiply_add)) / giga);
    if (has_bf16()) ceiling.bf16_gflops = float(arithmetic(dot_bf16) / giga);

    const device_memory memory(ctx.device(), 3 * stream * int64_t(sizeof(float)));
    float* a = static_cast<float*>(memory.data());
    const auto share = [&](int thread) {  // of one stream, in blocks of four cache lines
        const int64_t team = omp_get_num_threads(), blocks = stream / 64;
        return std::pair(blocks * thread / team * 64, blocks * (thread + 1) / team * 64);
    };
    const auto bandwidth = [&](int streams, auto&& loop) {  // streams that the loop moves
        return float(best_rate(ctx,
                               [&](int thread) {
                                   const auto [begin, end] = share(thread);
                                   loop(begin, end - begin);
                                   return streams * double(end - begin) * sizeof(float);
                               }) /
                     giga);
    };
    ceiling.read_gbytes = bandwidth(3, [&](int64_t begin, int64_t count) {
        float sink[1];
        for (int64_t i = 0; i < 3; ++i)
            HWY_DYNAMIC_DISPATCH(read_floats)(a + i * stream + begin, count, sink);
    });
    ceiling.update_gbytes = bandwidth(6, [&](int64_t begin, int64_t count) {
        for (int64_t i = 0; i < 3; ++i)
            HWY_DYNAMIC_DISPATCH(scale_floats)(a + i * stream + begin, count);
    });
    ceiling.triad_gbytes = bandwidth(3, [&](int64_t begin, int64_t count) {
        HWY_DYNAMIC_DISPATCH(triad_floats)
        (a + begin, a + stream + begin, a + 2 * stream + begin, count);
    });
}

}  // namespace mim::cpu
#endif
