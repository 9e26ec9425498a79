// Random masks against a stable sort of the noise, with ties, both zeros and infinities.
#include <algorithm>
#include <numeric>

#include "thread_count.h"

OP_TEST(mask_from_noise, int64_t batch, int64_t patches, int64_t kept, int64_t ties) {
    std::vector<double> values;
    for (int64_t i = 0; i < batch * patches; ++i)
        values.push_back(ties ? std::floor(t.normal() * 2) : t.normal());
    if (ties) {
        const double special[] = {0.0, -0.0, INFINITY, 0.0, -INFINITY, -0.0, INFINITY, 1e-45};
        for (size_t i = 0; i < std::min(std::size(special), values.size()); ++i)
            values[i] = special[i];
    }
    const int64_t removed = patches - kept;
    tensor noise = t.with_values({batch, patches}, values, MIM_F32);
    const auto unwritten = [&](int64_t columns) {
        return t.integers({batch, columns}, std::vector<int64_t>(size_t(batch * columns), -1));
    };
    tensor keep = unwritten(kept), masked = unwritten(removed), restore = unwritten(patches);
    tensor mask = t.filled_f32({batch, patches}, NAN);
    t.ok(mim_mask_from_noise(t.ctx(), keep, masked, restore, mask, noise));

    std::vector<int64_t> order(static_cast<size_t>(patches));
    for (int64_t b = 0; b < batch; ++b) {
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(),
                         [&](int64_t i, int64_t j) { return noise(b, i) < noise(b, j); });
        for (int64_t r = 0; r < patches; ++r) {
            const int64_t l = order[size_t(r)];
            if (r < kept)
                t.exact("ids_keep", keep(b, r), double(l));
            else
                t.exact("ids_masked", masked(b, r - kept), double(l));
            t.exact("ids_restore", restore(b, l), double(r));
            t.exact("mask", mask(b, l), r < kept ? 0.0 : 1.0);
        }
    }
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor k = unwritten(kept), m = unwritten(removed), r = unwritten(patches);
        tensor one = t.filled_f32({batch, patches}, 7);
        t.ok(mim_mask_from_noise(ctx, k, m, r, one, noise));
        return mim::test::joined({k, m, r, one});
    });
}
OP_CASES(mask_from_noise, {1, 2, 1, 0}, {3, 7, 2, 0}, {5, 9, 8, 1}, {64, 196, 49, 0},
         {3, 400, 39, 1}, {2, 4099, 1024, 1});
OP_CASES_LARGE(mask_from_noise, {2, 100000, 25000, 0});

OP_TEST(mask_from_noise_errors) {
    tensor noise = t.random_f32({2, 4}), mask = t.random_f32({2, 4}),
           keep = t.integers({2, 2}, {0, 0, 0, 0});
    tensor restore = t.integers({2, 4}, std::vector<int64_t>(8)),
           many = t.integers({2, 4}, std::vector<int64_t>(8));
    tensor masked = t.integers({2, 2}, {0, 0, 0, 0});
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    t.ok(mim_mask_from_noise(t.ctx(), keep, masked, restore, mask, noise));
    t.fails(mim_mask_from_noise(t.ctx(), many, masked, restore, mask, noise), invalid,
            {"mim_mask_from_noise", "ids_keep", "(2, 4)", "less than the 4 patches"});
    t.fails(mim_mask_from_noise(t.ctx(), keep, masked, mask, mask, noise), invalid,
            {"ids_restore", "i32"});
    t.fails(mim_mask_from_noise(t.ctx(), keep, masked, keep, mask, noise), invalid,
            {"ids_restore has shape (2, 2), expected (2, 4)"});
    t.fails(mim_mask_from_noise(t.ctx(), keep, many, restore, mask, noise), invalid,
            {"ids_masked has shape (2, 4), expected (2, 2)"});
    t.fails(mim_mask_from_noise(t.ctx(), keep, masked, restore, mask, nullptr), invalid,
            {"noise is null"});
    if (t.device() != MIM_CPU) return;  // values are only looked at where they can be read
    tensor broken = t.with_values({2, 4}, {0, 1, 2, 3, 4, NAN, 6, 7}, MIM_F32);
    t.fails(mim_mask_from_noise(t.ctx(), keep, masked, restore, mask, broken), invalid,
            {"noise holds NaN at (1, 1)"});
}
OP_CASES(mask_from_noise_errors, {});
