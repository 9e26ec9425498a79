// The gradient norm against a sum in double; its bits for any thread count; values that are not
// finite.
#include <limits>

#include "op_test.h"

OP_TEST(gradient_norm, int64_t n) {
    tensor grad = t.random({n}, 0.01), norm = t.filled({1}, NAN);
    t.ok(mim_gradient_norm(t.ctx(), norm, grad));
    t.near("norm", norm.at(0), std::sqrt(dot(grad, grad)));

    const double first = norm.at(0);
    if (n > 1) {  // from an address that vectors do not fit
        tensor rest = t.filled({1}, NAN);
        t.ok(mim_gradient_norm(t.ctx(), rest, grad.slice(0, 1, n)));
        t.near("norm of the rest", rest.at(0),
               std::sqrt(dot(grad, grad) - grad.at(0) * grad.at(0)));
    }
    for (const int32_t threads : {1, 2, 3}) {
        mim_context* other = nullptr;
        const mim_context_params params = {sizeof params, t.device(), 0, threads};
        ASSERT_EQ(MIM_OK, mim_context_create(&other, &params)) << mim_last_error();
        tensor again = t.filled({1}, NAN);
        t.ok(mim_gradient_norm(other, again, grad));
        t.exact("the norm with another thread count", again.at(0), first);
        mim_context_destroy(other);
    }
}
OP_CASES(gradient_norm, {1}, {7}, {65536}, {65537}, {300003});

OP_TEST(gradient_norm_not_finite, int64_t n, int64_t place) {
    for (const double bad :
         {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
        tensor grad = t.random({n}), norm = t.filled({1}, 0);
        grad.set(place, bad);
        t.ok(mim_gradient_norm(t.ctx(), norm, grad));
        t.exact("norm with an infinity", norm.at(0), std::numeric_limits<double>::infinity());
    }
    tensor grad = t.random({n}), norm = t.filled({1}, 0);
    grad.set(place, NAN);
    t.ok(mim_gradient_norm(t.ctx(), norm, grad));
    EXPECT_TRUE(std::isnan(norm.at(0)));
}
OP_CASES(gradient_norm_not_finite, {1, 0}, {70001, 3}, {70001, 70000});

// Squares of large floats leave the range of float, but not the range of the sum.
OP_TEST(gradient_norm_range) {
    tensor grad = t.with_values({3}, {3e30, -4e30, 0}, MIM_F32), norm = t.filled({1}, NAN);
    t.ok(mim_gradient_norm(t.ctx(), norm, grad));
    t.near("large", norm.at(0), 5e30);
    tensor small = t.with_values({2}, {3e-30, 4e-30}, MIM_F32);
    t.ok(mim_gradient_norm(t.ctx(), norm, small));
    t.near("small", norm.at(0), 5e-30);
}
OP_CASES(gradient_norm_range, {});

OP_TEST(gradient_norm_errors) {
    tensor grad = t.random({4}), norm = t.random({1}), wide = t.random({2});
    tensor half = t.with_values({4}, {1, 2, 3, 4}, MIM_BF16);
    const auto refused = MIM_ERROR_INVALID_ARGUMENT;
    t.fails(mim_gradient_norm(t.ctx(), nullptr, grad), refused,
            {"mim_gradient_norm", "norm is null"});
    t.fails(mim_gradient_norm(t.ctx(), wide, grad), refused, {"norm", "(2)", "(1)"});
    t.fails(mim_gradient_norm(t.ctx(), norm, half), refused, {"grad", "bf16", "f32"});
    t.fails(mim_gradient_norm(t.ctx(), norm, grad.reshaped({2, 2})), refused,
            {"grad", "rank 2", "rank 1"});
}
OP_CASES(gradient_norm_errors, {});

OP_TEST(gradient_norm_planning) {
    tensor grad = t.random({131073}), norm = t.filled({1}, 5);
    const mim_view *g = grad, *result = norm;  // copied to the device before planning
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_gradient_norm(t.ctx(), result, g));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    t.exact("norm while planning", norm.at(0), 5);
    mim_context_info info = {};
    info.size = sizeof info;
    t.ok(mim_context_get_info(t.ctx(), &info));
    EXPECT_GT(info.scratch_peak, 0);
}
OP_CASES(gradient_norm_planning, {});
