// Copies: dense, strided, converting, overlapping; and fill.
#include "op_test.h"

OP_TEST(copy, int64_t rows, int64_t cols) {
    tensor x = t.random({rows, cols, 3}), y = t.filled({cols, rows, 3}, NAN);
    t.ok(mim_copy(t.ctx(), y, x.permuted({1, 0, 2})));
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < cols; ++c)
            for (int64_t i = 0; i < 3; ++i) t.exact("permuted", y(c, r, i), x(r, c, i));

    tensor wide = t.filled_f32({rows, cols, 3}, NAN),
           narrow = t.with_values({rows, cols, 3}, x.values(), MIM_BF16);
    t.ok(mim_copy(t.ctx(), wide, narrow));
    for (int64_t i = 0; i < wide.size(); ++i) t.exact("bf16 to f32", wide.at(i), narrow.at(i));
    tensor back =
        t.with_values({rows, cols, 3}, std::vector<double>(size_t(rows * cols * 3), NAN), MIM_BF16);
    tensor source = t.random_f32({rows, cols, 3});
    t.ok(mim_copy(t.ctx(), back, source));
    for (int64_t i = 0; i < back.size(); ++i)  // 8 significant bits: half a unit in the last place
        EXPECT_LE(std::fabs(back.at(i) - source.at(i)), std::fabs(source.at(i)) * 0x1p-8);

    tensor f = t.filled({rows, cols}, NAN);
    t.ok(mim_fill(t.ctx(), f, 1.5f));
    for (int64_t i = 0; i < f.size(); ++i) t.exact("filled", f.at(i), 1.5);
}
OP_CASES(copy, {1, 1}, {3, 7}, {65, 130});
OP_CASES_BF16(copy, {3, 7});

OP_TEST(copy_overlap) {
    tensor x = t.random({9, 4});
    const std::vector<double> before = x.values();
    t.ok(mim_copy(t.ctx(), x.slice(0, 0, 6), x.slice(0, 2, 8)));
    for (int64_t i = 0; i < 24; ++i) t.exact("moved down", x.at(i), before[size_t(i + 8)]);
    t.fails(mim_copy(t.ctx(), x.slice(0, 0, 2), x.slice(0, 0, 3)), MIM_ERROR_INVALID_ARGUMENT,
            {"mim_copy", "dst", "src"});
}
OP_CASES(copy_overlap, {});
