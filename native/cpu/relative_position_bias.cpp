// Relative position bias on the CPU. Both passes work on one head at a time: forward gathers from
// the head's column of the table, laid out in a row so that it stays in the first-level cache;
// backward scatters into a row of sums, which are double: the class token's rows have as many terms
// as there are tokens.
#include <algorithm>

#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/relative_position_bias.cpp"
#include "hwy/foreach_target.h"  // stays ahead of the others

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// y[i] = row[index[i]]
void look_up(float* y, const float* row, const int32_t* index, int64_t count) {
    const float_lanes d;
    const hn::RebindToSigned<float_lanes> di;
    int64_t i = 0;
    for (; i + lane_count() <= count; i += lane_count())
        store(hn::GatherIndex(d, row, hn::LoadU(di, index + i)), d, y + i);
    for (; i < count; ++i) y[i] = row[index[i]];
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(look_up);

namespace {

constexpr int64_t pairs_grain = 4096;  // pairs that are worth a thread of their own

}  // namespace

void processor::relative_position_bias_forward(context& ctx, const view& bias, const view& table,
                                               const view& index) {
    const int64_t rows = table.shape[0], heads = table.shape[1], pairs = elements(index);
    float* columns = ctx.scratch<float>(heads * rows);  // (H, R)
    if (ctx.planning()) return;
    const float* from = data<float>(table);
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t h = 0; h < heads; ++h) columns[h * rows + r] = from[r * heads + h];
    parallel_for(ctx, heads * pairs, pairs_grain, [&](int64_t begin, int64_t end) {
        while (begin < end) {
            const int64_t h = begin / pairs, first = begin % pairs;
            const int64_t count = std::min(end - begin, pairs - first);
            HWY_DYNAMIC_DISPATCH(look_up)
            (data<float>(bias) + begin, columns + h * rows, data<int32_t>(index) + first, count);
            begin += count;
        }
    });
}

void processor::relative_position_bias_backward(context& ctx, const view& dtable, const view& dbias,
                                                const view& index) {
    const int64_t rows = dtable.shape[0], heads = dtable.shape[1], pairs = elements(index);
    double* sums = ctx.scratch<double>(heads * rows);  // (H, R)
    if (ctx.planning()) return;
    const int32_t* row = data<int32_t>(index);
    float* to = data<float>(dtable);
    parallel_for(ctx, heads, 1, [&](int64_t begin, int64_t end) {
        for (int64_t h = begin; h < end; ++h) {
            double* sum = sums + h * rows;
            const float* from = data<float>(dbias) + h * pairs;
            std::fill_n(sum, rows, 0.0);
            for (int64_t i = 0; i < pairs; ++i) sum[row[i]] += double(from[i]);
            for (int64_t r = 0; r < rows; ++r) to[r * heads + h] += float(sum[r]);
        }
    });
}

}  // namespace mim::cpu
#endif
