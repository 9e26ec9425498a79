// Relative position bias against its definition.
#include "thread_count.h"

namespace {

// Random rows of a table, not all of them: the others must keep what they hold.
tensor random_index(mim::test::harness& t, int64_t queries, int64_t keys, int64_t rows) {
    std::vector<int64_t> index(size_t(queries * keys));
    for (int64_t& row : index) row = int64_t(t.uniform() * double(rows > 1 ? rows - 1 : 1));
    index[0] = rows - 1;
    return t.integers({queries, keys}, index);
}

}  // namespace

OP_TEST(relative_position_bias, int64_t queries, int64_t keys, int64_t rows, int64_t heads) {
    tensor table = t.random({rows, heads}), index = random_index(t, queries, keys, rows);
    tensor bias = t.filled({heads, queries, keys}, NAN), dbias = t.random({heads, queries, keys});
    tensor dtable = t.filled({rows, heads}, 1);  // backward must add
    t.ok(mim_relative_position_bias_forward(t.ctx(), bias, table, index));
    t.ok(mim_relative_position_bias_backward(t.ctx(), dtable, dbias, index));

    std::vector<double> want(size_t(rows * heads), 1.0);
    for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < queries; ++i)
            for (int64_t j = 0; j < keys; ++j) {
                const int64_t row = int64_t(index(i, j));
                t.exact("bias", bias(h, i, j), table(row, h));
                want[size_t(row * heads + h)] += dbias(h, i, j);
            }
    t.tolerance("dtable", 2e-7);
    t.near("dtable", dtable, want);

    for (double& w : want) w -= 1;
    t.directional_derivative("dtable", table, want, [&] {
        t.ok(mim_relative_position_bias_forward(t.ctx(), bias, table, index));
        return dot(bias, dbias);
    });
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor b = t.filled({heads, queries, keys}, 7), d = t.filled({rows, heads}, 1);
        t.ok(mim_relative_position_bias_forward(ctx, b, table, index));
        t.ok(mim_relative_position_bias_backward(ctx, d, dbias, index));
        return mim::test::joined({b, d});
    });
}
// Pairs for several of a GPU's blocks, and for each more than it looks through at a time; a window of
// Swin-B, and a ViT-B at 224 pixels with its class token.
OP_CASES(relative_position_bias, {1, 1, 1, 1}, {1, 3, 2, 1}, {5, 7, 4, 3}, {17, 9, 40, 5},
         {3, 22001, 40, 1}, {49, 49, 169, 4});
OP_CASES_LARGE(relative_position_bias, {197, 197, 732, 12});

OP_TEST(relative_position_bias_planning) {
    tensor table = t.random({9, 3}), index = random_index(t, 4, 5, 9),
           bias = t.filled({3, 4, 5}, 7), dtable = t.filled({9, 3}, 7);
    const mim_view unread = mim::test::without_memory(index);  // ids are not looked at
    const mim_view *vb = bias, *vt = table, *vd = dtable;
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_relative_position_bias_forward(t.ctx(), vb, vt, &unread));
    t.ok(mim_relative_position_bias_backward(t.ctx(), vd, vb, &unread));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    mim_context_info info = {};
    info.size = sizeof info;
    t.ok(mim_context_get_info(t.ctx(), &info));
    const int64_t planned = info.scratch_peak;
    EXPECT_GE(planned, 9 * 3 * int64_t(sizeof(double)));
    for (int64_t i = 0; i < bias.size(); ++i) t.exact("bias while planning", bias.at(i), 7);
    for (int64_t i = 0; i < dtable.size(); ++i) t.exact("dtable while planning", dtable.at(i), 7);
    t.ok(mim_relative_position_bias_forward(t.ctx(), bias, table, index));
    t.ok(mim_relative_position_bias_backward(t.ctx(), dtable, bias, index));
    t.ok(mim_context_get_info(t.ctx(), &info));
    EXPECT_EQ(planned, info.scratch_peak);
}
OP_CASES(relative_position_bias_planning, {});

OP_TEST(relative_position_bias_errors) {
    tensor table = t.random({6, 2}), index = t.integers({3, 4}, std::vector<int64_t>(12, 5)),
           bias = t.filled({2, 3, 4}, NAN), turned = t.filled({2, 4, 3}, NAN);
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    t.ok(mim_relative_position_bias_forward(t.ctx(), bias, table, index));
    t.fails(mim_relative_position_bias_forward(t.ctx(), nullptr, table, index), invalid,
            {"mim_relative_position_bias_forward", "bias is null"});
    t.fails(mim_relative_position_bias_forward(t.ctx(), turned, table, index), invalid,
            {"bias has shape (2, 4, 3), expected (2, 3, 4)"});
    t.fails(mim_relative_position_bias_forward(t.ctx(), bias, index, index), invalid,
            {"table", "i32", "f32"});
    t.fails(mim_relative_position_bias_forward(t.ctx(), bias, table, table), invalid,
            {"index", "f32", "i32"});
    t.fails(mim_relative_position_bias_forward(t.ctx(), bias, bias, index), invalid,
            {"table", "rank 3"});
    t.fails(
        mim_relative_position_bias_backward(t.ctx(), table, turned, index), invalid,
        {"mim_relative_position_bias_backward", "dbias has shape (2, 4, 3), expected (2, 3, 4)"});
    t.fails(mim_relative_position_bias_backward(t.ctx(), nullptr, bias, index), invalid,
            {"dtable is null"});
    if (t.device() != MIM_CPU) return;  // values are only looked at where they can be read
    for (const int64_t bad : {int64_t(-1), int64_t(6)}) {
        std::vector<int64_t> values(12, 0);
        values[7] = bad;
        tensor wrong = t.integers({3, 4}, values);
        const std::string found = "index holds " + std::to_string(bad) + " at (1, 3)";
        t.fails(mim_relative_position_bias_forward(t.ctx(), bias, table, wrong), invalid,
                {found, "expected 0 to 5"});
        t.fails(mim_relative_position_bias_backward(t.ctx(), table, bias, wrong), invalid, {found});
    }
}
OP_CASES(relative_position_bias_errors, {});
