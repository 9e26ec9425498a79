// Cross entropy against its formula in double: value, losses of the rows, gradient.
#include "thread_count.h"

using mim::test::harness;
using mim::test::without_memory;

namespace {

mim_cross_entropy_params with(double smoothing, double grad_scale = 1) {
    return {sizeof(mim_cross_entropy_params), float(smoothing), float(grad_scale)};
}

std::vector<int64_t> some_labels(harness& t, int64_t rows, int64_t classes) {
    std::vector<int64_t> labels(static_cast<size_t>(rows));
    for (int64_t& label : labels) label = int64_t(t.uniform() * double(classes));
    return labels;
}

std::vector<double> one_hot(const std::vector<int64_t>& labels, int64_t classes) {
    std::vector<double> targets(labels.size() * size_t(classes));
    for (size_t r = 0; r < labels.size(); ++r) targets[r * size_t(classes) + size_t(labels[r])] = 1;
    return targets;
}

struct reference {
    double loss = 0;
    std::vector<double> per_row, dlogits;
};

// - sum q log p, and its derivative entry by entry: d log p_j / d z_k = delta_jk - p_k.
reference cross_entropy(const tensor& logits, const std::vector<double>& t,
                        const mim_cross_entropy_params& params) {
    const int64_t rows = logits.shape()[0], classes = logits.shape()[1];
    const double s = params.smoothing;
    reference want;
    for (int64_t r = 0; r < rows; ++r) {
        double most = -INFINITY, sum = 0, loss = 0, q_sum = 0;
        for (int64_t k = 0; k < classes; ++k) most = std::max(most, logits(r, k));
        for (int64_t k = 0; k < classes; ++k) sum += std::exp(logits(r, k) - most);
        const auto log_p = [&](int64_t k) { return logits(r, k) - most - std::log(sum); };
        const auto q = [&](int64_t k) {
            return (1 - s) * t[size_t(r * classes + k)] + s / double(classes);
        };
        for (int64_t k = 0; k < classes; ++k) {
            if (q(k) != 0) loss -= q(k) * log_p(k);
            q_sum += q(k);
        }
        for (int64_t k = 0; k < classes; ++k)
            want.dlogits.push_back(params.grad_scale / double(rows) *
                                   (std::exp(log_p(k)) * q_sum - q(k)));
        want.per_row.push_back(loss);
        want.loss += loss / double(rows);
    }
    return want;
}

}  // namespace

OP_TEST(cross_entropy, int64_t rows, int64_t classes, int64_t percent, int64_t soft) {
    const mim_cross_entropy_params params = with(double(percent) / 100, 0.25);
    const std::vector<int64_t> chosen = some_labels(t, rows, classes),
                               others = some_labels(t, rows, classes);
    std::vector<double> mixed = one_hot(chosen, classes);
    if (soft) {
        const std::vector<double> other = one_hot(others, classes);
        for (size_t i = 0; i < mixed.size(); ++i) mixed[i] = 0.75 * mixed[i] + 0.25 * other[i];
        mixed[0] += 0.5;  // a row that does not sum to 1 is weighed by its sum
    }
    tensor logits = t.random({rows, classes}, 2), labels = t.integers({rows}, chosen),
           targets = t.with_values({rows, classes}, mixed, MIM_F32);
    tensor loss = t.filled_f32({1}, NAN), per_row = t.filled_f32({rows}, NAN),
           dlogits = t.filled({rows, classes}, NAN);
    const auto run = [&](const mim_view* row_losses, const mim_view* gradient) {
        t.ok(mim_cross_entropy(t.ctx(), loss, row_losses, gradient, logits,
                               soft ? nullptr : labels.view(), soft ? targets.view() : nullptr,
                               &params));
    };
    run(per_row, dlogits);
    const reference want = cross_entropy(logits, mixed, params);
    t.near("loss", loss, {want.loss});
    t.near("per_row", per_row, want.per_row);
    t.near("dlogits", dlogits, want.dlogits);

    // Nothing depends on which others are wanted; the gradient may take the memory of the logits.
    const double once = loss.at(0);
    run(nullptr, nullptr);
    t.exact("loss alone", loss.at(0), once);
    run(nullptr, logits);
    EXPECT_EQ(dlogits.values(), logits.values());
}
// The smallest; rows that fill no vector, one exactly, one and a bit; more rows than a block takes;
// ImageNet's classes; more of them than are summed in one stretch.
OP_CASES(cross_entropy, {1, 2, 0, 0}, {1, 2, 10, 1}, {6, 11, 0, 0}, {6, 11, 10, 0}, {6, 11, 10, 1},
         {3, 16, 0, 1}, {5, 17, 100, 0}, {9, 33, 10, 0}, {65, 3, 0, 1}, {7, 1000, 10, 0},
         {2, 1000, 0, 1}, {2, 5003, 10, 0}, {1, 21841, 0, 0});
OP_CASES_BF16(cross_entropy, {6, 11, 0, 0}, {6, 11, 10, 1}, {5, 17, 100, 0}, {7, 1000, 10, 0});

// One class is always right.
OP_TEST(cross_entropy_one_class) {
    tensor logits = t.random({3, 1}), labels = t.integers({3}, {0, 0, 0}),
           loss = t.filled_f32({1}, NAN), dlogits = t.filled({3, 1}, NAN);
    const mim_cross_entropy_params params = with(0);
    t.ok(mim_cross_entropy(t.ctx(), loss, nullptr, dlogits, logits, labels, nullptr, &params));
    t.exact("loss", loss.at(0), 0);
    for (int64_t r = 0; r < 3; ++r) t.exact("dlogits", dlogits.at(r), 0);
}
OP_CASES(cross_entropy_one_class, {});

OP_TEST(cross_entropy_finite_differences, int64_t percent, int64_t soft) {
    const mim_cross_entropy_params params = with(double(percent) / 100);
    tensor logits = t.random({4, 9}), labels = t.integers({4}, {0, 8, 3, 3}),
           targets = t.with_values({4, 9}, std::vector<double>(36, 0.2), MIM_F32);
    tensor loss = t.filled({1}, NAN), per_row = t.filled({4}, NAN), dlogits = t.filled({4, 9}, NAN);
    const mim_view *hard = soft ? nullptr : labels.view(), *mixed = soft ? targets.view() : nullptr;
    t.ok(mim_cross_entropy(t.ctx(), loss, nullptr, dlogits, logits, hard, mixed, &params));
    t.directional_derivative("dlogits", logits, dlogits.values(), [&] {
        t.ok(mim_cross_entropy(t.ctx(), loss, per_row, nullptr, logits, hard, mixed, &params));
        double sum = 0;  // the rows' losses resolve more than the one float of their mean
        for (const double l : per_row.values()) sum += l;
        return sum / 4;
    });
}
OP_CASES(cross_entropy_finite_differences, {0, 0}, {10, 0}, {0, 1}, {30, 1});

// Logits far from zero, and certain ones, neither overflow nor lose the loss.
OP_TEST(cross_entropy_extremes) {
    tensor logits =
        t.with_values({3, 3}, {1e4, 1e4 + 1, 1e4 - 2, -3e38, 0, -200, 300, -300, 0}, MIM_F32);
    tensor labels = t.integers({3}, {2, 2, 0}), loss = t.filled_f32({1}, NAN),
           per_row = t.filled_f32({3}, NAN), dlogits = t.filled({3, 3}, NAN);
    const mim_cross_entropy_params params = with(0, 3);
    t.ok(mim_cross_entropy(t.ctx(), loss, per_row, dlogits, logits, labels, nullptr, &params));
    const reference want = cross_entropy(logits, one_hot({2, 2, 0}, 3), params);
    t.near("loss", loss, {want.loss});
    t.near("per_row", per_row, want.per_row);
    t.near("dlogits", dlogits, want.dlogits);
    t.exact("a certain row", per_row.at(2), 0);
}
OP_CASES(cross_entropy_extremes, {});

// A class left out by -infinity takes no part; what is not a number is not hidden.
OP_TEST(cross_entropy_not_finite, int64_t soft) {
    tensor logits = t.with_values({2, 3}, {1, -INFINITY, 2, 0.5, 1, 2}, MIM_F32);
    tensor labels = t.integers({2}, {0, 1}),
           targets = t.with_values({2, 3}, {1, 0, 0, 0, 1, 0}, MIM_F32),
           loss = t.filled_f32({1}, NAN), dlogits = t.filled({2, 3}, NAN);
    mim_cross_entropy_params params = with(0);
    const auto run = [&] {
        t.ok(mim_cross_entropy(t.ctx(), loss, nullptr, dlogits, logits,
                               soft ? nullptr : labels.view(), soft ? targets.view() : nullptr,
                               &params));
    };
    run();
    const reference want = cross_entropy(logits, {1, 0, 0, 0, 1, 0}, params);
    t.near("loss", loss, {want.loss});
    t.near("dlogits", dlogits, want.dlogits);
    t.exact("the class left out", dlogits.at(1), 0);
    params = with(0.1);
    run();
    EXPECT_EQ(INFINITY, loss.at(0));
    params = with(0);
    for (const double bad : {double(NAN), double(INFINITY)}) {
        logits.set(2, bad);
        run();
        EXPECT_TRUE(std::isnan(loss.at(0)));
        for (int64_t k = 0; k < 3; ++k) {
            EXPECT_TRUE(std::isnan(dlogits.at(k)));
            EXPECT_TRUE(std::isfinite(dlogits.at(3 + k)));
        }
    }
}
OP_CASES(cross_entropy_not_finite, {0}, {1});

// Only the CPU reads labels before it follows them; a GPU makes the loss and the row's gradient NaN.
OP_TEST(cross_entropy_label_out_of_range, int64_t bad) {
    tensor logits = t.random({3, 4}), labels = t.integers({3}, {3, bad, 0}),
           loss = t.filled_f32({1}, 7), per_row = t.filled_f32({3}, 7),
           dlogits = t.filled({3, 4}, 7);
    const mim_cross_entropy_params params = with(0.1);
    const mim_status status =
        mim_cross_entropy(t.ctx(), loss, per_row, dlogits, logits, labels, nullptr, &params);
    if (t.device() == MIM_CPU) {
        t.fails(status, MIM_ERROR_INVALID_ARGUMENT,
                {"mim_cross_entropy: labels holds " + std::to_string(bad) +
                 " at (1), expected 0 to 3"});
        t.exact("loss of a refused call", loss.at(0), 7);
        return;
    }
    t.ok(status);
    EXPECT_TRUE(std::isnan(loss.at(0)));
    for (int64_t i = 0; i < 12; ++i) EXPECT_EQ(i / 4 == 1, std::isnan(dlogits.at(i)));
    for (int64_t r = 0; r < 3; ++r) EXPECT_EQ(r == 1, std::isnan(per_row.at(r)));
}
OP_CASES(cross_entropy_label_out_of_range, {4}, {-1}, {2147483647});

OP_TEST(cross_entropy_same_bits_for_any_thread_count) {
    tensor logits = t.random({257, 37}), labels = t.integers({257}, some_labels(t, 257, 37));
    const mim_cross_entropy_params params = with(0.1);
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor loss = t.filled_f32({1}, NAN), per_row = t.filled_f32({257}, NAN),
               dlogits = t.filled({257, 37}, NAN);
        t.ok(mim_cross_entropy(ctx, loss, per_row, dlogits, logits, labels, nullptr, &params));
        return mim::test::joined({loss, per_row, dlogits});
    });
}
OP_CASES(cross_entropy_same_bits_for_any_thread_count, {});

OP_TEST(cross_entropy_errors) {
    tensor logits = t.random({3, 4}), labels = t.integers({3}, {0, 1, 2}),
           targets = t.filled_f32({3, 4}, 0.25), loss = t.filled_f32({1}, 7),
           dlogits = t.filled({3, 4}, 7), wide = t.random({3, 8}), four = t.filled_f32({4}, 0);
    tensor half = t.with_values({3, 4}, std::vector<double>(12, 0), MIM_BF16);
    const auto call = [&](const mim_view* result, const mim_view* per_row, const mim_view* gradient,
                          const mim_view* z, const mim_view* hard, const mim_view* soft,
                          mim_cross_entropy_params params) {
        return mim_cross_entropy(t.ctx(), result, per_row, gradient, z, hard, soft, &params);
    };
    const auto refused = [&](mim_status status, std::initializer_list<std::string> words) {
        t.fails(status, MIM_ERROR_INVALID_ARGUMENT, words);
    };
    t.ok(call(loss, nullptr, dlogits, logits, labels, nullptr, with(0)));
    refused(call(nullptr, nullptr, dlogits, logits, labels, nullptr, with(0)),
            {"mim_cross_entropy", "loss is null"});
    refused(call(loss, nullptr, dlogits, nullptr, labels, nullptr, with(0)), {"logits is null"});
    refused(call(loss, nullptr, dlogits, logits, nullptr, nullptr, with(0)),
            {"labels and targets are both null, expected one of them"});
    refused(call(loss, nullptr, dlogits, logits, labels, targets, with(0)),
            {"labels and targets are both given, expected one of them"});
    refused(call(loss, nullptr, dlogits, logits, targets, nullptr, with(0)), {"labels", "(3, 4)"});
    refused(call(loss, nullptr, dlogits, logits, four.slice(0, 0, 3), nullptr, with(0)),
            {"labels", "f32", "i32"});
    refused(call(loss, nullptr, dlogits, logits, nullptr, wide, with(0)),
            {"targets has shape (3, 8), expected (3, 4)"});
    refused(call(loss, nullptr, dlogits, logits, nullptr, half, with(0)), {"targets", "bf16"});
    refused(call(loss, nullptr, dlogits, logits.reshaped({12}), labels, nullptr, with(0)),
            {"logits", "rank 1"});
    refused(call(loss, nullptr, dlogits, wide.slice(1, 0, 4), labels, nullptr, with(0)),
            {"logits", "not dense"});
    refused(call(loss, nullptr, half, logits, labels, nullptr, with(0)), {"dlogits", "bf16"});
    refused(call(loss, nullptr, wide, logits, labels, nullptr, with(0)),
            {"dlogits has shape (3, 8), expected (3, 4)"});
    refused(call(loss, four, dlogits, logits, labels, nullptr, with(0)),
            {"loss_per_row has shape (4), expected (3)"});
    refused(call(four, nullptr, dlogits, logits, labels, nullptr, with(0)),
            {"loss has shape (4), expected (1)"});
    for (const double bad : {-0.1, 1.5, double(NAN)})
        refused(call(loss, nullptr, dlogits, logits, labels, nullptr, with(bad)),
                {"params.smoothing is", "expected 0 to 1"});
    refused(call(loss, nullptr, dlogits, logits, labels, nullptr, with(0, INFINITY)),
            {"params.grad_scale is inf, expected a finite number"});
    mim_cross_entropy_params wrong = with(0);
    wrong.size = 8;
    refused(call(loss, nullptr, dlogits, logits, labels, nullptr, wrong), {"params.size is 8"});
    refused(mim_cross_entropy(t.ctx(), loss, nullptr, dlogits, logits, labels, nullptr, nullptr),
            {"params is null"});
}
OP_CASES(cross_entropy_errors, {});

// A planned call reads nothing, labels neither, and counts its scratch.
OP_TEST(cross_entropy_planning) {
    tensor logits = t.random({3, 4}), labels = t.integers({3}, {0, 1, 2}),
           loss = t.filled_f32({1}, 7), dlogits = t.filled({3, 4}, 7);
    const mim_cross_entropy_params params = with(0);
    const mim_view unread = without_memory(logits), unread_labels = without_memory(labels);
    const mim_view *vl = loss, *vd = dlogits;
    mim_context_info info = {};
    info.size = sizeof info;
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_cross_entropy(t.ctx(), vl, nullptr, vd, &unread, &unread_labels, nullptr, &params));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    t.ok(mim_context_get_info(t.ctx(), &info));
    const int64_t planned = info.scratch_peak;
    EXPECT_GT(planned, 0);
    t.exact("loss while planning", loss.at(0), 7);
    t.exact("dlogits while planning", dlogits.at(0), 7);
    t.ok(mim_cross_entropy(t.ctx(), loss, nullptr, dlogits, logits, labels, nullptr, &params));
    t.ok(mim_context_get_info(t.ctx(), &info));
    EXPECT_EQ(planned, info.scratch_peak);
}
OP_CASES(cross_entropy_planning, {});
