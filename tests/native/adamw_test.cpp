// AdamW against its formula in double: several steps, segments with gaps, clipping, skipped steps,
// rounded parameters.
#include <limits>

#include "op_test.h"

namespace {

const mim_adamw_params defaults = {sizeof defaults, 0.9f, 0.95f, 1e-8f, 0.0f};

struct state {
    std::vector<double> p, m, v;
};

// One step for the elements of all segments. grad is what the kernel sees; the rest follows the
// header.
void reference_step(state& s, const std::vector<double>& grad,
                    const std::vector<mim_segment>& segments, double clip,
                    const mim_adamw_params& params, const tensor& scalars) {
    const double b1 = params.beta1, b2 = params.beta2;
    for (const mim_segment& segment : segments)
        for (size_t i = size_t(segment.offset); i < size_t(segment.offset + segment.count); ++i) {
            const double lr = scalars.at(MIM_ADAMW_LR) * segment.lr_scale, g = clip * grad[i];
            s.p[i] *= 1 - lr * segment.weight_decay;
            s.m[i] = b1 * s.m[i] + (1 - b1) * g;
            s.v[i] = b2 * s.v[i] + (1 - b2) * g * g;
            const double root = std::sqrt(s.v[i] / scalars.at(MIM_ADAMW_CORRECTION2));
            s.p[i] -= lr * (s.m[i] / scalars.at(MIM_ADAMW_CORRECTION1)) / (root + params.eps);
        }
}

std::vector<double> scalars_of_step(double lr, const mim_adamw_params& params, int t) {
    return {lr, 1 - std::pow(double(params.beta1), t), 1 - std::pow(double(params.beta2), t)};
}

// Three segments over n >= 10 elements, with gaps at the front, in the middle and at the end.
std::vector<mim_segment> segments_of(int64_t n) {
    const int64_t third = n / 3;
    return {{1, third, 0.05f, 1.0f},
            {1 + third, 1, 0.0f, 0.75f},
            {third + 4, n - third - 6, 0.3f, 0.1f}};
}

bool covered(const std::vector<mim_segment>& segments, int64_t i) {
    for (const mim_segment& s : segments)
        if (i >= s.offset && i < s.offset + s.count) return true;
    return false;
}

}  // namespace

OP_TEST(adamw, int64_t n, int64_t max_norm, int64_t with_bf16) {
    const std::vector<mim_segment> segments = segments_of(n);
    mim_adamw_params params = defaults;
    params.max_norm = float(max_norm);
    tensor p = t.random({n}), m = t.filled({n}, 0), v = t.filled({n}, 0);
    tensor p_bf16 = t.with_values({n}, std::vector<double>(size_t(n), 77.0), MIM_BF16);
    const std::vector<double> start = p.values();
    state want = {start, m.values(), v.values()};

    for (int step = 1; step <= 3; ++step) {
        tensor grad = t.random({n}), norm = t.filled({1}, NAN);
        tensor scalars =
            t.with_values({MIM_ADAMW_SCALARS}, scalars_of_step(0.01 * step, params, step), MIM_F32);
        const std::vector<double> gradient = grad.values();
        t.ok(mim_gradient_norm(t.ctx(), norm, grad));
        t.ok(mim_adamw_step(t.ctx(), p, m, v, with_bf16 ? p_bf16.view() : nullptr, grad,
                            max_norm > 0 ? norm.view() : nullptr, scalars, segments.data(),
                            int64_t(segments.size()), &params));
        const double clip =
            max_norm > 0 ? std::min(1.0, params.max_norm / (norm.at(0) + 1e-6)) : 1.0;
        EXPECT_TRUE(max_norm == 0 || clip < 1.0) << "the case does not clip";
        reference_step(want, gradient, segments, clip, params, scalars);
        for (int64_t i = 0; i < n; ++i)
            t.exact("gradient after the step", grad.at(i),
                    covered(segments, i) ? 0.0 : gradient[size_t(i)]);
    }
    t.near("p", p, want.p);
    t.near("m", m, want.m);
    t.near("v", v, want.v);
    t.tolerance("update", 2e-5);  // differences of parameters near 1 that were rounded to float
    for (int64_t i = 0; i < n; ++i) {
        t.near("update", p.at(i) - start[size_t(i)], want.p[size_t(i)] - start[size_t(i)]);
        if (!covered(segments, i)) {
            t.exact("p in a gap", p.at(i), start[size_t(i)]);
            t.exact("m in a gap", m.at(i), 0);
            t.exact("v in a gap", v.at(i), 0);
        }
    }
    const tensor rounded = t.with_values({n}, p.values(), MIM_BF16);
    for (int64_t i = 0; i < n; ++i)
        t.exact("p_bf16", p_bf16.at(i), with_bf16 && covered(segments, i) ? rounded.at(i) : 77.0);
}
OP_CASES(adamw, {10, 0, 0}, {10, 1, 1}, {131, 2, 1}, {100003, 5, 1}, {100003, 0, 0});

// More segments than one launch on a GPU takes, of 1 to 11 elements without gaps, each with its own
// rate; everything begins one element behind an aligned address.
OP_TEST(adamw_many_segments, int64_t count) {
    std::vector<mim_segment> segments;
    int64_t n = 0;
    for (int64_t i = 0; i < count; ++i) {
        segments.push_back({n, 1 + i * 7 % 11, 0.01f * float(i % 3), 1 + 0.01f * float(i)});
        n += segments.back().count;
    }
    tensor p = t.random({n + 1}), m = t.filled({n + 1}, 0), v = t.filled({n + 1}, 0),
           grad = t.random({n + 1});
    tensor p_bf16 = t.with_values({n + 1}, std::vector<double>(size_t(n + 1), 77.0), MIM_BF16);
    tensor scalars = t.with_values({3}, scalars_of_step(0.01, defaults, 1), MIM_F32);
    const auto tail = [](const std::vector<double>& all) {
        return std::vector<double>(all.begin() + 1, all.end());
    };
    state want = {tail(p.values()), tail(m.values()), tail(v.values())};
    const double first = p.at(0), first_gradient = grad.at(0);
    reference_step(want, tail(grad.values()), segments, 1.0, defaults, scalars);
    const auto shifted = [&](tensor& x) { return x.slice(0, 1, n + 1); };
    t.ok(mim_adamw_step(t.ctx(), shifted(p), shifted(m), shifted(v), shifted(p_bf16), shifted(grad),
                        nullptr, scalars, segments.data(), count, &defaults));
    const tensor rounded = t.with_values({n + 1}, p.values(), MIM_BF16);
    for (int64_t i = 0; i < n; ++i) {
        t.near("p", p.at(i + 1), want.p[size_t(i)]);
        t.near("m", m.at(i + 1), want.m[size_t(i)]);
        t.near("v", v.at(i + 1), want.v[size_t(i)]);
        t.exact("p_bf16", p_bf16.at(i + 1), rounded.at(i + 1));
        t.exact("gradient after the step", grad.at(i + 1), 0);
    }
    t.exact("p before the view", p.at(0), first);
    t.exact("grad before the view", grad.at(0), first_gradient);
    t.exact("p_bf16 before the view", p_bf16.at(0), 77);
}
OP_CASES(adamw_many_segments, {120}, {121}, {301});

// A single element, all by hand: at step 1 both corrections cancel, so p moves by lr against the
// sign of the gradient.
OP_TEST(adamw_first_step) {
    tensor p = t.filled({1}, 2), m = t.filled({1}, 0), v = t.filled({1}, 0),
           grad = t.filled({1}, -0.25);
    tensor scalars = t.with_values({3}, scalars_of_step(0.5, defaults, 1), MIM_F32);
    const mim_segment segment = {0, 1, 0.5f, 1.0f};
    t.ok(mim_adamw_step(t.ctx(), p, m, v, nullptr, grad, nullptr, scalars, &segment, 1, &defaults));
    t.near("p", p.at(0), 2 * (1 - 0.5 * 0.5) + 0.5);  // the decay comes first
}
OP_CASES(adamw_first_step, {});

OP_TEST(adamw_small_norm_does_not_scale) {
    mim_adamw_params params = defaults;
    params.max_norm = 1e6f;
    tensor p = t.random({33}), q = t.with_values({33}, p.values(), MIM_F32), grad = t.random({33});
    tensor same = t.with_values({33}, grad.values(), MIM_F32), norm = t.filled({1}, 6);
    tensor m = t.filled({33}, 0), v = t.filled({33}, 0), m2 = t.filled({33}, 0),
           v2 = t.filled({33}, 0);
    tensor scalars = t.with_values({3}, scalars_of_step(0.1, params, 1), MIM_F32);
    const mim_segment segment = {0, 33, 0.1f, 1.0f};
    t.ok(mim_adamw_step(t.ctx(), p, m, v, nullptr, grad, norm, scalars, &segment, 1, &params));
    t.ok(mim_adamw_step(t.ctx(), q, m2, v2, nullptr, same, nullptr, scalars, &segment, 1,
                        &defaults));
    for (int64_t i = 0; i < 33; ++i) t.exact("p", p.at(i), q.at(i));
}
OP_CASES(adamw_small_norm_does_not_scale, {});

OP_TEST(adamw_skips_a_norm_that_is_not_finite, int64_t n) {
    const std::vector<mim_segment> segments = segments_of(n);
    for (const double bad : {double(NAN), std::numeric_limits<double>::infinity()})
        for (const float max_norm : {0.0f, 1.0f}) {
            mim_adamw_params params = defaults;
            params.max_norm = max_norm;
            tensor p = t.random({n}), m = t.random({n}), v = t.filled({n}, 2), grad = t.random({n});
            tensor norm = t.filled({1}, bad);
            tensor scalars = t.with_values({3}, scalars_of_step(0.1, params, 1), MIM_F32);
            const std::vector<double> p0 = p.values(), m0 = m.values(), g0 = grad.values();
            t.ok(mim_adamw_step(t.ctx(), p, m, v, nullptr, grad, norm, scalars, segments.data(), 3,
                                &params));
            for (int64_t i = 0; i < n; ++i) {
                t.exact("p", p.at(i), p0[size_t(i)]);
                t.exact("m", m.at(i), m0[size_t(i)]);
                t.exact("v", v.at(i), 2);
                t.exact("grad", grad.at(i), covered(segments, i) ? 0.0 : g0[size_t(i)]);
            }
        }
}
OP_CASES(adamw_skips_a_norm_that_is_not_finite, {11}, {40000});

// Threads share the elements out differently; every bit stays.
OP_TEST(adamw_same_bits_for_any_thread_count, int64_t n) {
    const std::vector<mim_segment> segments = segments_of(n);
    const std::vector<double> p0 = t.random({n}).values(), m0 = t.random({n}).values(),
                              g0 = t.random({n}).values();
    std::vector<double> first;
    for (const int32_t threads : {1, 2, 3}) {
        mim_context* ctx = nullptr;
        const mim_context_params context_params = {sizeof context_params, t.device(), 0, threads};
        ASSERT_EQ(MIM_OK, mim_context_create(&ctx, &context_params)) << mim_last_error();
        tensor p = t.with_values({n}, p0, MIM_F32), m = t.with_values({n}, m0, MIM_F32),
               v = t.filled({n}, 0.5);
        tensor grad = t.with_values({n}, g0, MIM_F32);
        tensor scalars = t.with_values({3}, scalars_of_step(0.1, defaults, 4), MIM_F32);
        t.ok(mim_adamw_step(ctx, p, m, v, nullptr, grad, nullptr, scalars, segments.data(), 3,
                            &defaults));
        if (first.empty()) first = p.values();
        for (int64_t i = 0; i < n; ++i) t.exact("p", p.at(i), first[size_t(i)]);
        mim_context_destroy(ctx);
    }
}
OP_CASES(adamw_same_bits_for_any_thread_count, {100003});

OP_TEST(adamw_errors) {
    tensor p = t.random({8}), m = t.filled({8}, 0), v = t.filled({8}, 0), grad = t.random({8});
    tensor short_m = t.filled({7}, 0), norm = t.filled({1}, 1);
    tensor scalars = t.with_values({3}, scalars_of_step(0.1, defaults, 1), MIM_F32);
    const std::vector<double> before = p.values();
    const auto step = [&](std::vector<mim_segment> s, const mim_adamw_params& params) {
        return mim_adamw_step(t.ctx(), p, m, v, nullptr, grad, nullptr, scalars, s.data(),
                              int64_t(s.size()), &params);
    };
    const auto refused = MIM_ERROR_INVALID_ARGUMENT;
    const mim_segment whole = {0, 8, 0, 1};
    t.fails(step({{0, 4, 0, 1}, {3, 2, 0, 1}}, defaults), refused,
            {"mim_adamw_step", "segments[1].offset is 3", "4"});
    t.fails(step({{-1, 4, 0, 1}}, defaults), refused, {"segments[0].offset is -1", "at least 0"});
    t.fails(step({{4, 5, 0, 1}}, defaults), refused,
            {"segments[0]", "5 elements from 4", "8 of p"});
    t.fails(step({{9, INT64_MAX, 0, 1}}, defaults), refused, {"segments[0]", "8 of p"});
    t.fails(step({{0, 0, 0, 1}}, defaults), refused, {"segments[0].count is 0"});
    t.fails(step({{0, 2, 0, 1}, {2, 2, NAN, 1}}, defaults), refused,
            {"segments[1].weight_decay is nan"});
    t.fails(step({{0, 2, -0.5f, 1}}, defaults), refused, {"segments[0].weight_decay is -0.5"});
    t.fails(step({{0, 2, 0, INFINITY}}, defaults), refused, {"segments[0].lr_scale is inf"});
    t.fails(mim_adamw_step(t.ctx(), p, m, v, nullptr, grad, nullptr, scalars, &whole, 0, &defaults),
            refused, {"segment_count is 0"});
    t.fails(
        mim_adamw_step(t.ctx(), p, m, v, nullptr, grad, nullptr, scalars, nullptr, 1, &defaults),
        refused, {"segments is null"});
    t.fails(mim_adamw_step(t.ctx(), p, short_m, v, nullptr, grad, nullptr, scalars, &whole, 1,
                           &defaults),
            refused, {"m has shape (7)", "(8)"});
    t.fails(mim_adamw_step(t.ctx(), p, m, v, p, grad, nullptr, scalars, &whole, 1, &defaults),
            refused, {"p_bf16", "bf16"});
    t.fails(mim_adamw_step(t.ctx(), p, m, v, nullptr, grad, nullptr, norm, &whole, 1, &defaults),
            refused, {"scalars", "(3)"});
    mim_adamw_params params = defaults;
    params.max_norm = 1;
    t.fails(step({whole}, params), refused, {"grad_norm is null", "max_norm", "mim_gradient_norm"});
    params = defaults, params.max_norm = -1;
    t.fails(step({whole}, params), refused, {"params.max_norm is -1"});
    params = defaults, params.beta1 = 1;
    t.fails(step({whole}, params), refused, {"params.beta1 is 1"});
    params = defaults, params.beta2 = NAN;
    t.fails(step({whole}, params), refused, {"params.beta2 is nan"});
    params = defaults, params.eps = 0;
    t.fails(step({whole}, params), refused, {"params.eps is 0"});
    params = defaults, params.size = 4;
    t.fails(step({whole}, params), refused, {"params.size is 4"});
    for (int64_t i = 0; i < 8; ++i) t.exact("p after refused calls", p.at(i), before[size_t(i)]);
}
OP_CASES(adamw_errors, {});

OP_TEST(adamw_planning) {
    tensor p = t.filled({8}, 3), m = t.filled({8}, 0), v = t.filled({8}, 0),
           grad = t.filled({8}, 1);
    tensor scalars = t.with_values({3}, scalars_of_step(0.1, defaults, 1), MIM_F32);
    const mim_view *vp = p, *vm = m, *vv = v, *vg = grad,
                   *vs = scalars;  // copied to the device before planning
    const mim_segment whole = {0, 8, 0, 1};
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_adamw_step(t.ctx(), vp, vm, vv, nullptr, vg, nullptr, vs, &whole, 1, &defaults));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    for (int64_t i = 0; i < 8; ++i) {
        t.exact("p", p.at(i), 3);
        t.exact("grad", grad.at(i), 1);
    }
}
OP_CASES(adamw_planning, {});
