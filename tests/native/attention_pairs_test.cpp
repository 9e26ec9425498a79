// Attention through the kernel that multiplies pairs of bf16, with the processor's dot product emulated:
// the same tests again. Only the CPU has that kernel, and of its processors those with AVX-512.
#include "attention_bodies.h"
#include "cpu/attention.h"
#include "cpu/level.h"

namespace {

struct emulated_pairs {
    emulated_pairs() { mim::cpu::emulate_bf16_pairs(true); }
    ~emulated_pairs() { mim::cpu::emulate_bf16_pairs(false); }
};

// The kernel of pairs rounds P and dS: it must give other bits than floats do, or the cases below
// would test floats once more. A processor with the dot product uses it either way, and must agree.
OP_TEST(attention_pairs_emulated) {
    const bool kernel = mim::cpu::level_in_use() >= mim::cpu::level::avx512;
    const bool instruction = mim::cpu::level_in_use() >= mim::cpu::level::avx512_bf16;
    const shape s = {2, 50, 50, 3, 64};
    problem p(t, s, packed, 0);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    const vector<vector<double>> plain = results(p);
    const emulated_pairs on;
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    const vector<vector<double>> pairs = results(p);
    for (const size_t i : {0, 2, 3, 4}) {
        if (!instruction) {
            EXPECT_EQ(kernel, plain[i] != pairs[i]);
        }
        for (size_t j = 0; j < pairs[i].size(); ++j) t.near("pairs", pairs[i][j], plain[i][j]);
    }
}
OP_CASES_BF16_ON(MIM_CPU, attention_pairs_emulated, {});

OP_TEST(attention_pairs, int64_t batch, int64_t queries, int64_t keys, int64_t heads, int64_t dim,
        int64_t lies, int64_t parts) {
    const emulated_pairs on;
    attention_body(t, batch, queries, keys, heads, dim, lies, parts);
}
OP_CASES_BF16_ON(MIM_CPU, attention_pairs, {1, 1, 1, 1, 1, dense, 0}, {2, 3, 5, 3, 1, dense, 3},
                 {1, 5, 3, 2, 33, heads_first, 1}, {2, 1, 17, 2, 16, dense, 1},
                 {3, 17, 17, 3, 33, packed, 3}, {1, 17, 1, 2, 7, dense, 0},
                 {2, 50, 50, 3, 64, packed, 0}, {1, 49, 49, 5, 32, packed, 1},
                 {2, 33, 31, 2, 8, dense, 3}, {1, 65, 33, 2, 128, heads_first, 1},
                 {1, 196, 50, 2, 127, dense, 3}, {1, 197, 197, 2, 64, packed, 0},
                 {1, 197, 197, 2, 80, packed, 3}, {1, 130, 1100, 1, 24, dense, 3});

OP_TEST(attention_pairs_windows, int64_t batch, int64_t windows, int64_t tokens, int64_t heads,
        int64_t dim, int64_t entries, int64_t lies, int64_t parts) {
    const emulated_pairs on;
    attention_windows_body(t, batch, windows, tokens, heads, dim, entries, lies, parts);
}
OP_CASES_BF16_ON(MIM_CPU, attention_pairs_windows, {2, 3, 1, 2, 5, 2, dense, 0},
                 {2, 4, 49, 3, 32, 1, packed, with_bias | with_dbias | with_mask},
                 {1, 9, 16, 2, 16, 1, heads_first, with_mask},
                 {2, 2, 25, 2, 33, 7, packed, everything},
                 {1, 2, 70, 2, 24, 40, packed, everything});

OP_TEST(attention_pairs_table, int64_t batch, int64_t queries, int64_t keys, int64_t heads,
        int64_t dim, int64_t entries, int64_t lies, int64_t parts) {
    const emulated_pairs on;
    attention_table_body(t, batch, queries, keys, heads, dim, entries, lies, parts);
}
OP_CASES_BF16_ON(MIM_CPU, attention_pairs_table, {1, 1, 1, 1, 1, 1, dense, with_dtable},
                 {2, 50, 50, 3, 64, 50, packed, with_dtable}, {2, 50, 50, 2, 12, 50, packed, 0},
                 {2, 7, 19, 2, 16, 17, heads_first, with_dtable},
                 {1, 70, 33, 2, 40, 64, dense, with_bias | with_dbias | with_dtable},
                 {1, 9, 9, 1, 128, 300, dense, with_dtable});

OP_TEST(attention_pairs_sharp) {
    const emulated_pairs on;
    attention_sharp_body(t);
}
OP_CASES_BF16_ON(MIM_CPU, attention_pairs_sharp, {});

OP_TEST(attention_pairs_one_hot) {
    const emulated_pairs on;
    attention_one_hot_body(t);
}
OP_CASES_BF16_ON(MIM_CPU, attention_pairs_one_hot, {});

OP_TEST(attention_pairs_closed_keys, int64_t infinite) {
    const emulated_pairs on;
    attention_closed_keys_body(t, infinite);
}
OP_CASES_BF16_ON(MIM_CPU, attention_pairs_closed_keys, {0}, {1});

OP_TEST(attention_pairs_repeats, int64_t batch, int64_t heads, int64_t windows, int64_t parts) {
    const emulated_pairs on;
    attention_repeats_body(t, batch, heads, windows, parts);
}
OP_CASES_BF16_ON(MIM_CPU, attention_pairs_repeats, {5, 3, 1, with_bias | with_dbias},
                 {2, 3, 2, everything});

OP_TEST(attention_pairs_planning, int64_t windows, int64_t parts) {
    const emulated_pairs on;
    attention_planning_body(t, windows, parts);
}
OP_CASES_BF16_ON(MIM_CPU, attention_pairs_planning, {1, with_bias | with_dbias}, {3, everything});

}  // namespace
