// Gradient norm on the CPU: one read of the gradients. Blocks of fixed size are summed each on
// their own and then added in order, so the result does not depend on how the blocks are shared out
// among threads.
#include <cmath>

#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/gradient_norm.cpp"
#include "hwy/foreach_target.h"

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

double sum_of_squares(const float* x, int64_t count) {
    const hn::ScalableTag<double> d;
    const hn::Rebind<float, decltype(d)> df;
    const int64_t lanes = int64_t(hn::Lanes(d));
    auto a = hn::Zero(d), b = a, c = a, e = a;  // four chains hide the latency of the addition
    int64_t i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
        const auto x0 = hn::PromoteTo(d, hn::LoadU(df, x + i));
        const auto x1 = hn::PromoteTo(d, hn::LoadU(df, x + i + lanes));
        const auto x2 = hn::PromoteTo(d, hn::LoadU(df, x + i + 2 * lanes));
        const auto x3 = hn::PromoteTo(d, hn::LoadU(df, x + i + 3 * lanes));
        a = hn::MulAdd(x0, x0, a);
        b = hn::MulAdd(x1, x1, b);
        c = hn::MulAdd(x2, x2, c);
        e = hn::MulAdd(x3, x3, e);
    }
    double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
    for (; i < count; ++i) sum += double(x[i]) * double(x[i]);
    return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(sum_of_squares);

void processor::gradient_norm(context& ctx, const view& norm, const view& grad) {
    constexpr int64_t block = 65536;  // elements
    const int64_t n = elements(grad), blocks = (n + block - 1) / block;
    double* partial = ctx.scratch<double>(blocks);
    if (ctx.planning()) return;

    const float* g = data<float>(grad);
    parallel_for(ctx, blocks, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            partial[i] =
                HWY_DYNAMIC_DISPATCH(sum_of_squares)(g + i * block, std::min(block, n - i * block));
    });
    double sum = 0;
    for (int64_t i = 0; i < blocks; ++i) sum += partial[i];
    *data<float>(norm) = float(std::sqrt(sum));
}

}  // namespace mim::cpu
#endif
