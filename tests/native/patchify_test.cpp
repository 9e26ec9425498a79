// Patchify against its definition, pixel by pixel: both orders, any number of channels, grids and
// patches that are not square, kept patches that repeat.
#include "thread_count.h"

namespace {

mim_patchify_params patches_of(int64_t height, int64_t width, int64_t order) {
    return {sizeof(mim_patchify_params), int32_t(height), int32_t(width), int32_t(order)};
}

}  // namespace

// kept 0: all patches, without ids
OP_TEST(patchify, int64_t batch, int64_t channels, int64_t rows, int64_t columns,
        int64_t patch_height, int64_t patch_width, int64_t order, int64_t kept) {
    const int64_t height = rows * patch_height, width = columns * patch_width;
    const int64_t count = kept != 0 ? kept : rows * columns,
                  length = patch_height * patch_width * channels;
    std::vector<int64_t> chosen;
    for (int64_t i = 0; i < batch * count; ++i)
        chosen.push_back(kept != 0 ? int64_t(t.uniform() * double(rows * columns)) : i % count);
    if (kept > 1) chosen[1] = chosen[0];  // a patch that repeats
    tensor images = t.random_f32({batch, channels, height, width}),
           dpatches = t.random({batch, count, length});
    tensor patches = t.filled({batch, count, length}, NAN),
           ids = t.integers({batch, count}, chosen);
    tensor dimages = t.filled_f32({batch, channels, height, width}, 1);  // backward must add
    const mim_view* given = kept != 0 ? ids.view() : nullptr;
    const mim_patchify_params p = patches_of(patch_height, patch_width, order);

    t.ok(mim_patchify_forward(t.ctx(), patches, images, given, &p));
    t.ok(mim_patchify_backward(t.ctx(), dimages, dpatches, given, &p));
    std::vector<double> want(size_t(dimages.size()), 1.0);
    for (int64_t b = 0; b < batch; ++b)
        for (int64_t k = 0; k < count; ++k)
            for (int64_t c = 0; c < channels; ++c)
                for (int64_t r = 0; r < patch_height; ++r)
                    for (int64_t q = 0; q < patch_width; ++q) {
                        const int64_t id = chosen[size_t(b * count + k)];
                        const int64_t i = id / columns * patch_height + r,
                                      j = id % columns * patch_width + q;
                        const int64_t at = order == MIM_PATCH_PIXELS_FIRST
                                               ? (r * patch_width + q) * channels + c
                                               : (c * patch_height + r) * patch_width + q;
                        if (t.dtype() == MIM_F32)
                            t.exact("patches", patches(b, k, at), images(b, c, i, j));
                        else
                            t.near("patches", patches(b, k, at), images(b, c, i, j));
                        want[size_t(((b * channels + c) * height + i) * width + j)] +=
                            dpatches(b, k, at);
                    }
    if (t.dtype() == MIM_BF16) t.tolerance("dimages", 4e-6);  // the sum itself is f32
    t.near("dimages", dimages, want);

    if (dimages.size() > 10000) return;
    for (double& w : want) w -= 1;
    t.directional_derivative(
        "dimages", images, want,
        [&] {
            t.ok(mim_patchify_forward(t.ctx(), patches, images, given, &p));
            return dot(patches, dpatches);
        },
        1e-2,
        t.dtype() == MIM_BF16
            ? 0.5
            : 2e-3);  // bf16 rounds each pixel by up to 1/256 of itself, a step moves it by 1/50
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor y = t.filled({batch, count, length}, 7),
               dx = t.filled_f32({batch, channels, height, width}, 1);
        t.ok(mim_patchify_forward(ctx, y, images, given, &p));
        t.ok(mim_patchify_backward(ctx, dx, dpatches, given, &p));
        return mim::test::joined({y, dx});
    });
}
OP_CASES(patchify, {1, 1, 1, 1, 1, 1, 0, 0}, {2, 3, 3, 4, 2, 5, 0, 0}, {2, 3, 3, 4, 2, 5, 1, 0},
         {2, 3, 3, 4, 2, 5, 0, 5}, {2, 3, 3, 4, 2, 5, 1, 5}, {3, 4, 2, 5, 3, 2, 0, 3},
         {3, 4, 2, 5, 3, 2, 1, 17}, {2, 1, 5, 3, 4, 4, 0, 4}, {2, 3, 14, 14, 16, 16, 0, 0},
         {2, 3, 14, 14, 16, 16, 0, 49}, {2, 3, 14, 14, 16, 16, 1, 49});
OP_CASES_BF16(patchify, {1, 1, 1, 1, 1, 1, 0, 0}, {2, 3, 3, 4, 2, 5, 0, 5},
              {3, 4, 2, 5, 3, 2, 0, 3}, {2, 3, 3, 4, 2, 5, 1, 5}, {2, 3, 14, 14, 16, 16, 0, 49},
              {2, 3, 14, 14, 16, 16, 1, 0}, {2, 2, 3, 3, 4, 4, 1, 7}, {1, 3, 2, 3, 2, 8, 1, 8});

// The CPU refuses ids that name nothing, a GPU cannot: such patches are NaN, and give no gradient.
OP_TEST(patchify_of_nothing) {
    tensor images = t.random_f32({1, 1, 2, 2}), patches = t.filled({1, 3, 1}, 7),
           dimages = t.filled_f32({1, 1, 2, 2}, 1), ids = t.integers({1, 3}, {4, 2, -1});
    const mim_patchify_params p = patches_of(1, 1, 0);
    t.ok(mim_patchify_forward(t.ctx(), patches, images, ids, &p));
    t.ok(mim_patchify_backward(t.ctx(), dimages, patches, ids, &p));
    EXPECT_TRUE(std::isnan(patches.at(0)) && std::isnan(patches.at(2)));
    t.exact("patches", patches.at(1), images.at(2));
    for (int64_t i = 0; i < 4; ++i)
        t.near("dimages", dimages.at(i), i == 2 ? 1 + patches.at(1) : 1);
}
OP_CASES_ON(MIM_CUDA, patchify_of_nothing, {});

OP_TEST(patchify_errors) {
    tensor images = t.random_f32({1, 3, 4, 6}), patches = t.random({1, 2, 12}),
           ids = t.integers({1, 2}, {0, 5});
    const mim_patchify_params p = patches_of(2, 2, 0), odd = patches_of(2, 4, 0),
                              none = patches_of(0, 2, 0);
    const mim_patchify_params unknown = patches_of(2, 2, 2);
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    t.ok(mim_patchify_forward(t.ctx(), patches, images, ids, &p));
    t.fails(mim_patchify_forward(t.ctx(), patches, images, ids, &odd), invalid,
            {"mim_patchify_forward", "params.patch_width is 4", "width of images, 6"});
    t.fails(mim_patchify_forward(t.ctx(), patches, images, ids, &none), invalid,
            {"params.patch_height is 0"});
    t.fails(mim_patchify_forward(t.ctx(), patches, images, ids, &unknown), invalid,
            {"params.order is 2"});
    t.fails(mim_patchify_forward(t.ctx(), patches, images, nullptr, &p), invalid,
            {"patches", "(1, 2, 12)", "(1, 6, 12)"});
    t.fails(mim_patchify_backward(t.ctx(), images, nullptr, ids, &p), invalid,
            {"mim_patchify_backward", "dpatches is null"});
    tensor wide = t.integers({1, 3}, {0, 1, 2}),
           whole = t.integers({1, 3, 4, 6}, std::vector<int64_t>(72));
    t.fails(mim_patchify_forward(t.ctx(), patches, images, wide, &p), invalid,
            {"ids", "(1, 3)", "(1, 2)"});
    t.fails(mim_patchify_backward(t.ctx(), whole, patches, ids, &p), invalid,
            {"dimages", "expected dtype f32"});
    if (t.device() != MIM_CPU) return;  // values are only looked at where they can be read
    tensor high = t.integers({1, 2}, {0, 6}), low = t.integers({1, 2}, {-1, 0});
    t.fails(mim_patchify_forward(t.ctx(), patches, images, high, &p), invalid,
            {"ids holds 6 at (0, 1), expected 0 to 5"});
    t.fails(mim_patchify_backward(t.ctx(), images, patches, low, &p), invalid,
            {"ids holds -1 at (0, 0)"});
    const mim_view nowhere = mim::test::without_memory(patches),
                   no_ids = mim::test::without_memory(high);
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_patchify_forward(t.ctx(), &nowhere, images, &no_ids, &p));
    t.ok(mim_context_set_planning(t.ctx(), 0));
}
OP_CASES(patchify_errors, {});
