// Sum of two tensors, element by element.
#include "op_test.h"

OP_TEST(add, int64_t rows, int64_t cols) {
    tensor a = t.random({rows, cols}, 2.0), b = t.random({rows, cols});
    tensor y = t.filled({rows, cols}, NAN);
    t.ok(mim_add(t.ctx(), y, a, b));
    const std::vector<double> sums = y.values();
    for (int64_t i = 0; i < a.size(); ++i) t.near("y", y.at(i), a.at(i) + b.at(i));

    t.ok(mim_add(t.ctx(), b, a, b));  // in place, on either side
    tensor twice = t.filled({rows, cols}, 0);
    t.ok(mim_copy(t.ctx(), twice, a));
    t.ok(mim_add(t.ctx(), twice, twice, twice));
    for (int64_t i = 0; i < a.size(); ++i) {
        t.exact("y on b", b.at(i), sums[size_t(i)]);
        t.exact("a + a on a", twice.at(i), 2 * a.at(i));
    }
}
OP_CASES(add, {1, 1}, {3, 7}, {5, 41}, {23, 89}, {197, 3072});
OP_CASES_BF16(add, {3, 7}, {23, 89}, {197, 768});

OP_TEST(add_errors) {
    tensor a = t.random({4, 8}), b = t.random({4, 7}), half = t.with_values({1}, {0}, MIM_BF16),
           one = t.random({1});
    t.fails(mim_add(t.ctx(), a, a, b), MIM_ERROR_INVALID_ARGUMENT,
            {"mim_add", "b", "(4, 7)", "(4, 8)"});
    t.fails(mim_add(t.ctx(), b, a, a), MIM_ERROR_INVALID_ARGUMENT, {"y", "(4, 7)", "(4, 8)"});
    t.fails(mim_add(t.ctx(), one, one, half), MIM_ERROR_INVALID_ARGUMENT, {"b", "bf16", "f32"});
    t.fails(mim_add(t.ctx(), a.slice(1, 0, 4), a.slice(1, 0, 4), a.slice(1, 4, 8)),
            MIM_ERROR_INVALID_ARGUMENT, {"dense"});
    t.fails(mim_add(t.ctx(), a, a, nullptr), MIM_ERROR_INVALID_ARGUMENT, {"b is null"});
}
OP_CASES(add_errors, {});
