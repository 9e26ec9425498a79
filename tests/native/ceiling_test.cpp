// The measured ceiling is sane (how high it is, is the machine's business), and so is the time that
// a context says was spent in its calls.
#include <chrono>

#include "op_test.h"
#include "thread_count.h"

namespace {

mim_context_info info_of(mim_context* ctx) {
    mim_context_info info = {sizeof info};
    EXPECT_EQ(MIM_OK, mim_context_get_info(ctx, &info)) << mim_last_error();
    return info;
}

}  // namespace

OP_TEST(ceiling, int64_t threads) {
    const mim::test::context_with_threads ctx(t, int32_t(threads));
    mim_ceiling ceiling = {sizeof ceiling};
    t.ok(mim_measure_ceiling(ctx, &ceiling));
    EXPECT_EQ(int32_t(sizeof ceiling), ceiling.size);
    for (const float rate :
         {ceiling.f32_gflops, ceiling.read_gbytes, ceiling.update_gbytes, ceiling.triad_gbytes}) {
        EXPECT_TRUE(std::isfinite(rate));
        EXPECT_GT(rate, 0);
    }
    if (info_of(ctx).has_bf16 != 0)
        EXPECT_GT(ceiling.bf16_gflops, ceiling.f32_gflops / 4);
    else
        EXPECT_EQ(0, ceiling.bf16_gflops);
    EXPECT_TRUE(std::isfinite(ceiling.bf16_gflops));
}
OP_CASES(ceiling, {1}, {2});

OP_TEST(ceiling_planning) {
    mim_ceiling ceiling = {sizeof ceiling, 1, 2, 3, 4, 5};
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_measure_ceiling(t.ctx(), &ceiling));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    EXPECT_EQ(
        0, ceiling.f32_gflops + ceiling.bf16_gflops + ceiling.read_gbytes + ceiling.triad_gbytes);
}
OP_CASES(ceiling_planning, {});

OP_TEST(ceiling_errors) {
    mim_ceiling ceiling = {1};
    const auto refused = MIM_ERROR_INVALID_ARGUMENT;
    t.fails(mim_measure_ceiling(nullptr, &ceiling), refused,
            {"mim_measure_ceiling", "ctx is null"});
    t.fails(mim_measure_ceiling(t.ctx(), nullptr), refused, {"ceiling is null"});
    t.fails(mim_measure_ceiling(t.ctx(), &ceiling), refused, {"ceiling.size is 1"});
}
OP_CASES(ceiling_errors, {});

// The time of its ops is a context's own; calls about nothing of it, and refused ones, add none.
OP_TEST(native_time) {
    using clock = std::chrono::steady_clock;
    const mim::test::context_with_threads ctx(t, 1), other(t, 1);
    tensor y = t.filled({1 << 20}, 0);
    const mim_view* v = y;
    EXPECT_EQ(0, info_of(ctx).native_nanoseconds);
    const auto start = clock::now();
    t.ok(mim_fill(ctx, v, 1));
    const int64_t first = info_of(ctx).native_nanoseconds;
    const auto passed = std::chrono::nanoseconds(clock::now() - start).count();
    EXPECT_GT(first, 0);
    EXPECT_LE(first, passed);
    EXPECT_EQ(MIM_ERROR_INVALID_ARGUMENT, mim_fill(ctx, nullptr, 1));
    t.ok(mim_fill(other, v, 2));
    EXPECT_EQ(first, info_of(ctx).native_nanoseconds);
    t.ok(mim_fill(ctx, v, 3));
    EXPECT_GT(info_of(ctx).native_nanoseconds, first);
}
OP_CASES(native_time, {});
