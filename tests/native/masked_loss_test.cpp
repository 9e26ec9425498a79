// The masked loss against its formula in double: value, loss per patch, and both gradients.
#include "thread_count.h"

namespace {

struct case_shape {
    int64_t batch, channels, grid_height, grid_width, patch_height, patch_width;

    int64_t patches() const { return grid_height * grid_width; }
    int64_t height() const { return grid_height * patch_height; }
    int64_t width() const { return grid_width * patch_width; }
    int64_t values() const { return patch_height * patch_width * channels; }

    // What a pixel of an image batch counts under a mask of cells.
    double cell(const tensor& mask, int64_t b, int64_t pixel) const {
        const int64_t y = pixel / width() % height(), x = pixel % width();
        return mask(b, y / (height() / mask.shape()[1]), x / (width() / mask.shape()[2]));
    }

    // The pixel of an image batch that is value p of a patch.
    int64_t pixel(int64_t b, int64_t patch, int64_t p, int32_t order) const {
        int64_t row, column, channel;
        if (order == MIM_PATCH_PIXELS_FIRST) {
            channel = p % channels;
            column = p / channels % patch_width;
            row = p / channels / patch_width;
        } else {
            column = p % patch_width;
            row = p / patch_width % patch_height;
            channel = p / patch_width / patch_height;
        }
        const int64_t y = patch / grid_width * patch_height + row,
                      x = patch % grid_width * patch_width + column;
        return ((b * channels + channel) * height() + y) * width() + x;
    }
};

const mim_masked_loss_params mae = {sizeof mae, MIM_LOSS_L2, 1, 1, MIM_PATCH_PIXELS_FIRST,
                                    0,          1e-6f,       1, 0, 1};

double err(double e, const mim_masked_loss_params& params) {
    const double size = std::fabs(e), beta = params.beta;
    switch (params.kind) {
        case MIM_LOSS_L2:
            return e * e;
        case MIM_LOSS_L1:
            return size;
        default:
            return size < beta ? 0.5 * e * e / beta : size - beta / 2;
    }
}

double slope(double e, const mim_masked_loss_params& params) {
    const double sign = double((e > 0) - (e < 0)), beta = params.beta;
    switch (params.kind) {
        case MIM_LOSS_L2:
            return 2 * e;
        case MIM_LOSS_L1:
            return sign;
        default:
            return std::fabs(e) < beta ? e / beta : sign;
    }
}

struct reference {
    double loss = 0;
    std::vector<double> per_patch, dpred, dtarget;
};

// The gradient of the target is the full sum over the Jacobian of the normalisation, entry by
// entry:
//   d that_i / d t_j = r (delta_ij - 1/P) - r^3 (t_i - mean) (t_j - mean) / (P - 1)
reference masked_loss(const case_shape& s, const tensor& pred, const tensor& target,
                      const tensor& mask, const std::vector<int64_t>& ids,
                      const mim_masked_loss_params& params) {
    const bool cells = mask.shape().size() == 3;
    const int64_t rows = int64_t(ids.size()) / s.batch, count = s.values();
    reference want;
    want.per_patch.resize(size_t(s.batch * rows));
    want.dpred.resize(size_t(s.batch * rows * count));
    want.dtarget.resize(size_t(target.size()), 1.0);  // the tests let it start at 1
    const auto weight_of = [&](int64_t i, int64_t p) {
        return cells ? s.cell(mask, i / rows, s.pixel(i / rows, ids[size_t(i)], p, params.order))
                     : mask.at(i);
    };
    double counted = 0;  // values, each pixel once for every channel
    for (int64_t i = 0; i < s.batch * rows; ++i)
        for (int64_t p = 0; p < count; ++p) counted += weight_of(i, p);
    const double denominator = counted + double(params.mask_epsilon) * double(s.channels);

    for (int64_t i = 0; i < s.batch * rows; ++i) {
        const int64_t b = i / rows;
        std::vector<double> centred(static_cast<size_t>(count)), g(static_cast<size_t>(count));
        double mean = 0, variance = 0;
        for (int64_t p = 0; p < count; ++p) {
            centred[size_t(p)] = target.at(s.pixel(b, ids[size_t(i)], p, params.order));
            mean += centred[size_t(p)] / double(count);
        }
        for (double& t : centred) {
            t -= params.normalize ? mean : 0;
            variance += params.normalize ? t * t / double(count - 1) : 0;
        }
        const double r = params.normalize ? 1 / std::sqrt(variance + params.normalize_eps) : 1;
        double sum = 0, g_sum = 0, g_product = 0;
        for (int64_t p = 0; p < count; ++p) {
            const double e = pred.at(i * count + p) - centred[size_t(p)] * r;
            const double m = weight_of(i, p);
            sum += err(e, params);
            if (m != 0) want.loss += m * err(e, params) / denominator;
            g[size_t(p)] = m == 0 ? 0 : m * params.grad_scale / denominator * slope(e, params);
            want.dpred[size_t(i * count + p)] = g[size_t(p)];
            g_sum += g[size_t(p)];
            g_product += g[size_t(p)] * centred[size_t(p)];
        }
        want.per_patch[size_t(i)] = sum / double(count);
        for (int64_t p = 0; p < count; ++p) {
            const double through_moments =
                params.normalize ? -r * g_sum / double(count) - r * r * r * centred[size_t(p)] *
                                                                    g_product / double(count - 1)
                                 : 0;
            want.dtarget[size_t(s.pixel(b, ids[size_t(i)], p, params.order))] -=
                r * g[size_t(p)] + through_moments;
        }
    }
    return want;
}

// Half of the rows or cells count, a few of them by a fraction; at least one does.
tensor mask_of(mim::test::harness& t, std::vector<int64_t> shape) {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    std::vector<double> values(static_cast<size_t>(count));
    for (double& v : values) v = t.uniform() < 0.5 ? 0 : t.uniform() < 0.7 ? 1 : t.uniform();
    values[0] = 1;
    return t.with_values(std::move(shape), values, MIM_F32);
}

enum class row_order { all, some, repeating };

void check(mim::test::harness& t, const case_shape& s, const mim_masked_loss_params& params,
           row_order order, std::vector<int64_t> cells = {}) {
    const bool with_ids = order != row_order::all;
    const int64_t rows = order == row_order::some        ? std::max<int64_t>(1, s.patches() - 1)
                         : order == row_order::repeating ? s.patches() + 2
                                                         : s.patches();
    std::vector<int64_t> ids;
    for (int64_t b = 0; b < s.batch; ++b) {
        std::vector<int64_t> shuffle = t.permutation(s.patches());
        for (int64_t i = 0; i < rows; ++i)  // repeating: the first patch comes three times
            ids.push_back(!with_ids ? i : shuffle[size_t(i < s.patches() ? i : 0)]);
    }
    tensor chosen = t.integers({s.batch, rows}, ids);
    tensor mask =
        cells.empty() ? mask_of(t, {s.batch, rows}) : mask_of(t, {s.batch, cells[0], cells[1]});
    tensor pred = t.random({s.batch, rows, s.values()});
    tensor target = t.random_f32({s.batch, s.channels, s.height(), s.width()}, 0.5);
    for (int64_t i = 0; i < target.size(); ++i)
        target.set(i, target.at(i) + 2);  // an offset, as pictures have
    tensor loss = t.filled_f32({1}, NAN), per_patch = t.filled_f32({s.batch, rows}, NAN);
    tensor dpred = t.filled({s.batch, rows, s.values()}, NAN);
    tensor dtarget = t.filled_f32(target.shape(), 1);  // added to

    const mim_view* id_view = with_ids ? chosen.view() : nullptr;
    t.ok(mim_masked_loss(t.ctx(), loss, per_patch, dpred, dtarget, pred, target, mask, id_view,
                         &params));
    const reference want = masked_loss(s, pred, target, mask, ids, params);
    t.near("loss", loss.at(0), want.loss);
    t.near("loss_per_patch", per_patch, want.per_patch);
    t.near("dpred", dpred, want.dpred);
    t.near("dtarget", dtarget, want.dtarget);
    for (int64_t i = 0; i < dpred.size(); ++i)
        if (want.dpred[size_t(i)] == 0 && params.kind != MIM_LOSS_L1)
            t.exact("dpred where the mask is 0", dpred.at(i), 0);

    // Alone and together the results are the same bits: nothing depends on which others are wanted.
    tensor loss_alone = t.filled_f32({1}, NAN), dpred_alone = t.filled(dpred.shape(), NAN);
    tensor dtarget_alone = t.filled_f32(target.shape(), 1);
    t.ok(mim_masked_loss(t.ctx(), loss_alone, nullptr, dpred_alone, nullptr, pred, target, mask,
                         id_view, &params));
    t.exact("loss without loss_per_patch and dtarget", loss_alone.at(0), loss.at(0));
    for (int64_t i = 0; i < dpred.size(); ++i)
        t.exact("dpred alone", dpred_alone.at(i), dpred.at(i));
    t.ok(mim_masked_loss(t.ctx(), loss_alone, nullptr, nullptr, dtarget_alone, pred, target, mask,
                         id_view, &params));
    for (int64_t i = 0; i < target.size(); ++i)
        t.exact("dtarget alone", dtarget_alone.at(i), dtarget.at(i));
}

}  // namespace

// Every kind, both orders, raw and normalised, with and without ids, on one shape.
OP_TEST(masked_loss, int64_t batch, int64_t channels, int64_t grid_height, int64_t grid_width,
        int64_t patch_height, int64_t patch_width) {
    const case_shape s = {batch, channels, grid_height, grid_width, patch_height, patch_width};
    for (int32_t kind = MIM_LOSS_L2; kind <= MIM_LOSS_SMOOTH_L1; ++kind)
        for (int32_t order = 0; order < 2; ++order)
            for (int32_t normalize = 0; normalize <= (s.values() > 1 ? 1 : 0); ++normalize)
                for (const row_order rows : {row_order::all, row_order::some, row_order::repeating})
                    check(t, s,
                          {sizeof mae, kind, int32_t(patch_height), int32_t(patch_width), order,
                           normalize, 1e-6f, 0.5f, rows != row_order::all ? 0 : 1e-5f, 0.25f},
                          rows);
}
OP_CASES(masked_loss, {1, 1, 1, 1, 1, 1}, {1, 2, 1, 1, 1, 1}, {2, 3, 3, 2, 5, 7},
         {3, 1, 2, 3, 4, 9}, {2, 4, 2, 2, 3, 5}, {2, 3, 4, 4, 16, 16}, {1, 3, 2, 1, 32, 33});
OP_CASES_BF16(masked_loss, {2, 3, 3, 2, 5, 7}, {2, 3, 4, 4, 16, 16});

// A mask of cells: cell_height x cell_width pixels each, whole ones to a patch.
OP_TEST(masked_loss_cells, int64_t batch, int64_t channels, int64_t grid_height, int64_t grid_width,
        int64_t patch_height, int64_t patch_width, int64_t cell_height, int64_t cell_width) {
    const case_shape s = {batch, channels, grid_height, grid_width, patch_height, patch_width};
    for (int32_t kind = MIM_LOSS_L2; kind <= MIM_LOSS_SMOOTH_L1; ++kind)
        for (int32_t order = 0; order < 2; ++order)
            for (int32_t normalize = 0; normalize <= (s.values() > 1 ? 1 : 0); ++normalize)
                check(t, s,
                      {sizeof mae, kind, int32_t(patch_height), int32_t(patch_width), order,
                       normalize, 1e-6f, 0.5f, normalize ? 0 : 1e-5f, 0.25f},
                      row_order::all, {s.height() / cell_height, s.width() / cell_width});
}
OP_CASES(masked_loss_cells, {1, 1, 1, 1, 1, 1, 1, 1}, {1, 2, 1, 1, 2, 1, 1, 1},
         {2, 3, 3, 2, 6, 5, 2, 5}, {2, 3, 2, 3, 5, 7, 1, 1}, {3, 1, 2, 3, 4, 9, 4, 3},
         {2, 4, 2, 2, 3, 5, 3, 5}, {2, 3, 3, 3, 32, 32, 4, 4}, {2, 3, 3, 2, 16, 16, 4, 8});
OP_CASES_BF16(masked_loss_cells, {2, 3, 3, 2, 6, 5, 2, 5}, {2, 3, 3, 3, 32, 32, 4, 4});

// Cells that agree within each patch are the weights of the patches, to the bit.
OP_TEST(masked_loss_equal_cells) {
    mim_masked_loss_params params = mae;
    params.patch_height = 4, params.patch_width = 6, params.normalize = 1;
    const case_shape s = {3, 3, 2, 3, 4, 6};
    tensor pred = t.random({3, 6, s.values()}), target = t.random_f32({3, 3, 8, 18});
    tensor patches = mask_of(t, {3, 6}), cells = t.filled_f32({3, 4, 9}, 0);
    for (int64_t i = 0; i < cells.size(); ++i) {
        const int64_t b = i / 36, y = i / 9 % 4, x = i % 9;
        cells.set(i, patches(b, y / 2 * 3 + x / 3));
    }
    const auto with = [&](const mim_view* mask) {
        tensor loss = t.filled_f32({1}, NAN), per_patch = t.filled_f32({3, 6}, NAN),
               dpred = t.filled(pred.shape(), NAN), dtarget = t.filled_f32(target.shape(), 1);
        t.ok(mim_masked_loss(t.ctx(), loss, per_patch, dpred, dtarget, pred, target, mask, nullptr,
                             &params));
        return mim::test::joined({loss, per_patch, dpred, dtarget});
    };
    EXPECT_EQ(with(patches), with(cells));
    EXPECT_EQ(with(patches), with(patches.reshaped({3, 2, 3})));
}
OP_CASES(masked_loss_equal_cells, {});
OP_CASES_BF16(masked_loss_equal_cells, {});

// Gradients against central differences of the loss itself, at a smooth kind.
OP_TEST(masked_loss_finite_differences, int64_t kind, int64_t normalize) {
    mim_masked_loss_params params = mae;
    params.kind = int32_t(kind);
    params.normalize = int32_t(normalize);
    params.patch_height = 4, params.patch_width = 3, params.beta = 3;
    tensor pred = t.random({2, 4, 36}), target = t.random({2, 3, 8, 6}), mask = mask_of(t, {2, 4});
    tensor dpred = t.filled({2, 4, 36}, NAN), dtarget = t.filled({2, 3, 8, 6}, 0),
           per_patch = t.filled({2, 4}, NAN);
    tensor loss = t.filled({1}, NAN);
    t.ok(mim_masked_loss(t.ctx(), loss, nullptr, dpred, dtarget, pred, target, mask, nullptr,
                         &params));
    double masked = 0;
    for (const double m : mask.values()) masked += m;
    const auto value =
        [&] {  // from the losses of the patches, which resolve more than the one float of the total
            t.ok(mim_masked_loss(t.ctx(), loss, per_patch, nullptr, nullptr, pred, target, mask,
                                 nullptr, &params));
            return dot(per_patch, mask) / masked;
        };
    t.directional_derivative("dpred", pred, dpred.values(), value);
    t.directional_derivative("dtarget", target, dtarget.values(), value);
}
OP_CASES(masked_loss_finite_differences, {MIM_LOSS_L2, 0}, {MIM_LOSS_L2, 1},
         {MIM_LOSS_SMOOTH_L1, 0}, {MIM_LOSS_SMOOTH_L1, 1});

// The same through a mask of cells: the whole loss is one float, so few values and a longer step.
OP_TEST(masked_loss_cells_finite_differences, int64_t kind, int64_t normalize) {
    mim_masked_loss_params params = mae;
    params.kind = int32_t(kind);
    params.normalize = int32_t(normalize);
    params.patch_height = 4, params.patch_width = 2, params.beta = 6;
    tensor pred = t.random({1, 2, 8}), target = t.random({1, 1, 4, 4}),
           mask = mask_of(t, {1, 2, 4});
    tensor dpred = t.filled({1, 2, 8}, NAN), dtarget = t.filled({1, 1, 4, 4}, 0),
           loss = t.filled({1}, NAN);
    t.ok(mim_masked_loss(t.ctx(), loss, nullptr, dpred, dtarget, pred, target, mask, nullptr,
                         &params));
    const auto value = [&] {
        t.ok(mim_masked_loss(t.ctx(), loss, nullptr, nullptr, nullptr, pred, target, mask, nullptr,
                             &params));
        return loss.at(0);
    };
    t.directional_derivative("dpred", pred, dpred.values(), value, 3e-2);
    t.directional_derivative("dtarget", target, dtarget.values(), value, 3e-2, 5e-3);
}
OP_CASES(masked_loss_cells_finite_differences, {MIM_LOSS_L2, 0}, {MIM_LOSS_L2, 1},
         {MIM_LOSS_SMOOTH_L1, 0}, {MIM_LOSS_SMOOTH_L1, 1});

// A patch without contrast becomes exactly zero, although the normalisation multiplies by 1000; one
// with little contrast around a large mean keeps its digits.
OP_TEST(masked_loss_low_contrast) {
    mim_masked_loss_params params = mae;
    params.patch_height = params.patch_width = 16, params.normalize = 1;
    tensor pred = t.filled({1, 1, 768}, 0), mask = t.filled({1, 1}, 1), loss = t.filled({1}, NAN);
    tensor dpred = t.filled({1, 1, 768}, NAN), constant = t.filled({1, 3, 16, 16}, 2.6400001);
    t.ok(mim_masked_loss(t.ctx(), loss, nullptr, dpred, nullptr, pred, constant, mask, nullptr,
                         &params));
    t.exact("loss of a constant patch", loss.at(0), 0);
    for (int64_t i = 0; i < 768; ++i) t.exact("dpred of a constant patch", dpred.at(i), 0);

    const case_shape s = {1, 3, 1, 1, 16, 16};
    tensor faint = t.random({1, 3, 16, 16}, 1e-3);
    for (int64_t i = 0; i < faint.size(); ++i) faint.set(i, faint.at(i) + 100);
    t.ok(mim_masked_loss(t.ctx(), loss, nullptr, dpred, nullptr, pred, faint, mask, nullptr,
                         &params));
    const reference want = masked_loss(s, pred, faint, mask, {0}, params);
    t.near("loss of a faint patch", loss.at(0), want.loss);
    t.near("dpred of a faint patch", dpred, want.dpred);
}
OP_CASES(masked_loss_low_contrast, {});

// Long patch vectors of errors with one sign: the sums must not lose digits.
OP_TEST(masked_loss_long_patch) {
    const case_shape s = {1, 1, 1, 1, 301, 299};
    mim_masked_loss_params params = mae;
    params.patch_height = 301, params.patch_width = 299, params.normalize = 1;
    tensor pred = t.random({1, 1, s.values()}), mask = t.filled({1, 1}, 1),
           target = t.random({1, 1, 301, 299});
    tensor loss = t.filled({1}, NAN);
    t.ok(mim_masked_loss(t.ctx(), loss, nullptr, nullptr, nullptr, pred, target, mask, nullptr,
                         &params));
    t.tolerance("loss", 5e-7);
    t.near("loss", loss.at(0), masked_loss(s, pred, target, mask, {0}, params).loss);
}
OP_CASES(masked_loss_long_patch, {});

OP_TEST(masked_loss_empty_mask, int64_t epsilon) {
    mim_masked_loss_params params = mae;
    params.patch_height = params.patch_width = 2, params.mask_epsilon = epsilon ? 1e-5f : 0;
    tensor pred = t.random({1, 4, 4}), target = t.random_f32({1, 1, 4, 4}),
           mask = t.filled_f32({1, 4}, 0);
    tensor loss = t.filled_f32({1}, NAN), per_patch = t.filled_f32({1, 4}, NAN),
           dpred = t.filled({1, 4, 4}, NAN);
    tensor dtarget = t.filled_f32({1, 1, 4, 4}, 1);
    t.ok(mim_masked_loss(t.ctx(), loss, per_patch, dpred, dtarget, pred, target, mask, nullptr,
                         &params));
    t.exact("loss", loss.at(0), 0);
    for (int64_t i = 0; i < 16; ++i) {
        t.exact("dpred", dpred.at(i), 0);
        t.exact("dtarget", dtarget.at(i), 1);
    }
    t.near("loss_per_patch", per_patch,
           masked_loss({1, 1, 2, 2, 2, 2}, pred, target, mask, {0, 1, 2, 3}, params).per_patch);
}
OP_CASES(masked_loss_empty_mask, {0}, {1});
OP_CASES_BF16(masked_loss_empty_mask, {0});

// Where pred equals the target, L1 has no direction: the gradient is 0. Smooth L1 at exactly beta
// is linear.
OP_TEST(masked_loss_kinks) {
    mim_masked_loss_params params = mae;
    params.kind = MIM_LOSS_L1, params.patch_height = 2, params.patch_width = 2;
    tensor pred = t.with_values({1, 1, 4}, {1, 2, 3, 4}, MIM_F32), mask = t.filled({1, 1}, 1),
           loss = t.filled({1}, NAN);
    tensor target = t.with_values({1, 1, 2, 2}, {1, 2.5, 2, 4}, MIM_F32),
           dpred = t.filled({1, 1, 4}, NAN);
    const auto gradients_are = [&](std::vector<double> want) {
        t.ok(mim_masked_loss(t.ctx(), loss, nullptr, dpred, nullptr, pred, target, mask, nullptr,
                             &params));
        for (int64_t i = 0; i < 4; ++i) t.exact("dpred", dpred.at(i), want[size_t(i)]);
    };
    gradients_are({0, -0.25, 0.25, 0});
    params.kind = MIM_LOSS_SMOOTH_L1, params.beta = 0.5f;
    gradients_are({0, -0.25, 0.25, 0});
    t.exact("smooth L1", loss.at(0), (0.25 + 0.75) / 4);
    params.beta = 2;
    gradients_are({0, -0.0625, 0.125, 0});
}
OP_CASES(masked_loss_kinks, {});

// What is not finite outside of the mask stays outside of the loss; inside it reaches the loss and
// the gradient.
OP_TEST(masked_loss_not_finite, int64_t kind) {
    mim_masked_loss_params params = mae;
    params.kind = int32_t(kind), params.patch_height = 1, params.patch_width = 2;
    tensor pred = t.with_values({1, 2, 2}, {NAN, 1, 2, 3}, MIM_F32),
           target = t.filled({1, 1, 1, 4}, 0.5);
    tensor mask = t.with_values({1, 2}, {0, 1}, MIM_F32), loss = t.filled({1}, NAN),
           dpred = t.filled({1, 2, 2}, NAN);
    tensor per_patch = t.filled({1, 2}, 0);
    t.ok(mim_masked_loss(t.ctx(), loss, per_patch, dpred, nullptr, pred, target, mask, nullptr,
                         &params));
    EXPECT_TRUE(std::isfinite(loss.at(0)));
    EXPECT_TRUE(std::isnan(per_patch.at(0)));
    t.exact("dpred", dpred.at(0), 0);
    mask.set(0, 1);
    t.ok(mim_masked_loss(t.ctx(), loss, nullptr, dpred, nullptr, pred, target, mask, nullptr,
                         &params));
    EXPECT_TRUE(std::isnan(loss.at(0)));
    EXPECT_TRUE(std::isnan(dpred.at(0)));
    EXPECT_TRUE(std::isfinite(dpred.at(1)));
}

// The same within a patch: a cell of weight 0 hides what is not finite in pred and, raw, in target.
OP_TEST(masked_loss_not_finite_cells, int64_t kind) {
    mim_masked_loss_params params = mae;
    params.kind = int32_t(kind), params.patch_height = 1, params.patch_width = 4;
    tensor pred = t.with_values({1, 1, 4}, {NAN, 1, 2, 3}, MIM_F32),
           target = t.with_values({1, 1, 1, 4}, {0.5, INFINITY, 0.5, 0.5}, MIM_F32);
    tensor mask = t.with_values({1, 1, 2}, {0, 1}, MIM_F32), loss = t.filled({1}, NAN),
           dpred = t.filled({1, 1, 4}, NAN), dtarget = t.filled({1, 1, 1, 4}, 1);
    t.ok(mim_masked_loss(t.ctx(), loss, nullptr, dpred, dtarget, pred, target, mask, nullptr,
                         &params));
    EXPECT_TRUE(std::isfinite(loss.at(0)));
    for (int64_t i = 0; i < 2; ++i) {
        t.exact("dpred", dpred.at(i), 0);
        t.exact("dtarget", dtarget.at(i), 1);
    }
    EXPECT_TRUE(std::isfinite(dpred.at(2)) && dpred.at(2) != 0);
    mask.set(0, 0.5);
    t.ok(mim_masked_loss(t.ctx(), loss, nullptr, dpred, nullptr, pred, target, mask, nullptr,
                         &params));
    EXPECT_TRUE(std::isnan(loss.at(0)));
    EXPECT_TRUE(std::isnan(dpred.at(0)));
}
OP_CASES(masked_loss_not_finite_cells, {MIM_LOSS_L2}, {MIM_LOSS_L1}, {MIM_LOSS_SMOOTH_L1});
OP_CASES(masked_loss_not_finite, {MIM_LOSS_L2}, {MIM_LOSS_L1}, {MIM_LOSS_SMOOTH_L1});

// All patches in order, rows that crowd on few patches, and a mask of cells.
OP_TEST(masked_loss_same_bits_for_any_thread_count, int64_t repeating, int64_t cells) {
    mim_masked_loss_params params = mae;
    params.patch_height = 4, params.patch_width = 4, params.normalize = 1;
    const int64_t rows = repeating ? 40 : 9;
    std::vector<int64_t> crowd(size_t(5 * rows));
    for (int64_t& id : crowd) id = int64_t(t.uniform() * 3);
    tensor pred = t.random({5, rows, 48}), target = t.random({5, 3, 12, 12}),
           ids = t.integers({5, rows}, crowd);
    tensor mask = cells ? mask_of(t, {5, 6, 12}) : mask_of(t, {5, rows});
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor loss = t.filled({1}, NAN), dpred = t.filled({5, rows, 48}, NAN),
               dtarget = t.filled({5, 3, 12, 12}, 1), per_patch = t.filled({5, rows}, NAN);
        t.ok(mim_masked_loss(ctx, loss, per_patch, dpred, dtarget, pred, target, mask,
                             repeating ? ids.view() : nullptr, &params));
        return mim::test::joined({loss, per_patch, dpred, dtarget});
    });
}
OP_CASES(masked_loss_same_bits_for_any_thread_count, {0, 0}, {1, 0}, {0, 1});

OP_TEST(masked_loss_errors) {
    tensor pred = t.random({2, 4, 12}), target = t.random_f32({2, 3, 4, 4}),
           mask = t.filled_f32({2, 4}, 1);
    tensor loss = t.filled_f32({1}, NAN), dpred = t.random({2, 4, 12}), wide = t.random({2, 5, 12});
    tensor wide_mask = t.filled_f32({2, 5}, 1), ids = t.integers({2, 4}, {0, 1, 2, 3, 0, 0, 0, 0});
    mim_masked_loss_params good = mae;
    good.patch_height = good.patch_width = 2;
    const auto refused = MIM_ERROR_INVALID_ARGUMENT;
    const auto fails = [&](const mim_masked_loss_params& params,
                           std::initializer_list<std::string> words) {
        t.fails(mim_masked_loss(t.ctx(), loss, nullptr, dpred, nullptr, pred, target, mask, nullptr,
                                &params),
                refused, words);
    };
    const auto with = [&](auto change) {
        mim_masked_loss_params params = good;
        change(params);
        return params;
    };
    using params_t = mim_masked_loss_params;
    fails(with([](params_t& p) { p.size = 8; }), {"mim_masked_loss", "params.size is 8"});
    fails(with([](params_t& p) { p.kind = 3; }), {"params.kind is 3"});
    fails(with([](params_t& p) { p.order = -1; }), {"params.order is -1"});
    fails(with([](params_t& p) { p.normalize = 2; }), {"params.normalize is 2"});
    fails(with([](params_t& p) { p.patch_height = 3; }),
          {"params.patch_height is 3", "height of target, 4"});
    fails(with([](params_t& p) { p.patch_width = 0; }), {"params.patch_width is 0"});
    fails(with([](params_t& p) { p.patch_width = 4; }), {"pred", "(2, 4, 12)", "(2, 2, 24)"});
    fails(with([](params_t& p) { p.normalize = 1, p.normalize_eps = 0; }),
          {"params.normalize_eps is 0"});
    fails(with([](params_t& p) { p.kind = MIM_LOSS_SMOOTH_L1, p.beta = 0; }), {"params.beta is 0"});
    fails(with([](params_t& p) { p.mask_epsilon = -1; }), {"params.mask_epsilon is -1"});
    fails(with([](params_t& p) { p.grad_scale = NAN; }), {"params.grad_scale is nan"});

    const auto fails_with_mask = [&](std::vector<int64_t> shape, const mim_view* given_ids,
                                     std::initializer_list<std::string> words) {
        tensor cells = t.filled_f32(std::move(shape), 1);
        t.fails(mim_masked_loss(t.ctx(), loss, nullptr, dpred, nullptr, pred, target, cells,
                                given_ids, &good),
                refused, words);
    };
    fails_with_mask({2, 2, 2}, ids, {"ids is given, expected NULL", "mask is f32 (2, 2, 2)"});
    fails_with_mask({1, 2, 2}, nullptr, {"mask has shape (1, 2, 2), expected (2, 2, 2)"});
    fails_with_mask({2, 1, 2}, nullptr,
                    {"mask is f32 (2, 1, 2)", "a height", "4", "multiple", "2"});
    fails_with_mask({2, 2, 3}, nullptr,
                    {"mask is f32 (2, 2, 3)", "a width", "divides target's, 4"});
    fails_with_mask({2, 8, 4}, nullptr,
                    {"mask is f32 (2, 8, 4)", "a height", "divides target's, 4"});
    fails_with_mask({2, 4, 1, 1}, nullptr, {"mask has shape (2, 4, 1, 1), expected (2, 4)"});
    t.fails(mim_masked_loss(t.ctx(), loss, nullptr, nullptr, nullptr, pred, target,
                            dpred.reshaped({4, 6, 4}), nullptr, &good),
            refused, {"mask has shape (4, 6, 4), expected (2, 6, 4)"});
    t.fails(
        mim_masked_loss(t.ctx(), loss, nullptr, wide, nullptr, pred, target, mask, nullptr, &good),
        refused, {"dpred", "(2, 5, 12)", "(2, 4, 12)"});
    t.fails(
        mim_masked_loss(t.ctx(), loss, nullptr, nullptr, pred, pred, target, mask, nullptr, &good),
        refused, {"dtarget", "(2, 3, 4, 4)"});
    t.fails(mim_masked_loss(t.ctx(), loss, nullptr, nullptr, nullptr, pred, target, wide_mask,
                            nullptr, &good),
            refused, {"mask", "(2, 5)", "(2, 4)"});
    t.fails(
        mim_masked_loss(t.ctx(), loss, nullptr, nullptr, nullptr, pred, target, mask, mask, &good),
        refused, {"ids", "f32", "i32"});
    t.fails(mim_masked_loss(t.ctx(), nullptr, nullptr, nullptr, nullptr, pred, target, mask,
                            nullptr, &good),
            refused, {"loss is null"});

    tensor point = t.random({1, 1, 1}), pixel = t.random_f32({1, 1, 1, 1}),
           one = t.filled_f32({1, 1}, 1);
    mim_masked_loss_params params = mae;
    params.normalize = 1;
    t.fails(mim_masked_loss(t.ctx(), loss, nullptr, nullptr, nullptr, point, pixel, one, nullptr,
                            &params),
            refused, {"params.normalize", "single value"});
    t.exact("loss after refused calls", std::isnan(loss.at(0)), true);
}
OP_CASES(masked_loss_errors, {});

// Only the CPU reads ids before it follows them; a GPU makes the loss NaN.
OP_TEST(masked_loss_ids_out_of_range, int64_t bad) {
    tensor pred = t.random({2, 2, 4}), target = t.random({2, 1, 4, 4}), mask = t.filled({2, 2}, 1),
           loss = t.filled({1}, NAN);
    tensor ids = t.integers({2, 2}, {3, 0, 1, bad});
    mim_masked_loss_params params = mae;
    params.patch_height = params.patch_width = 2;
    if (t.device() != MIM_CPU) {
        tensor dtarget = t.filled({2, 1, 4, 4}, 0);
        for (const mim_view* gradient : {static_cast<const mim_view*>(nullptr), dtarget.view()}) {
            t.ok(mim_masked_loss(t.ctx(), loss, nullptr, nullptr, gradient, pred, target, mask, ids,
                                 &params));
            EXPECT_TRUE(std::isnan(loss.at(0)));
            loss.set(0, 0);
        }
        return;
    }
    t.fails(
        mim_masked_loss(t.ctx(), loss, nullptr, nullptr, nullptr, pred, target, mask, ids, &params),
        MIM_ERROR_INVALID_ARGUMENT, {"ids[1, 1] is " + std::to_string(bad), "0 to 3"});
}
OP_CASES(masked_loss_ids_out_of_range, {4}, {-1});

OP_TEST(masked_loss_planning) {
    tensor pred = t.random({2, 4, 12}), target = t.random_f32({2, 3, 4, 4}),
           mask = t.filled_f32({2, 4}, 1);
    tensor loss = t.filled_f32({1}, 7), dpred = t.filled({2, 4, 12}, 7);
    mim_masked_loss_params params = mae;
    params.patch_height = params.patch_width = 2;
    const mim_view *vl = loss, *vd = dpred, *vp = pred, *vt = target,
                   *vm = mask;  // copied to the device before planning
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_masked_loss(t.ctx(), vl, nullptr, vd, nullptr, vp, vt, vm, nullptr, &params));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    t.exact("loss while planning", loss.at(0), 7);
    for (int64_t i = 0; i < dpred.size(); ++i) t.exact("dpred while planning", dpred.at(i), 7);
    mim_context_info info = {};
    info.size = sizeof info;
    t.ok(mim_context_get_info(t.ctx(), &info));
    const int64_t planned = info.scratch_peak;
    EXPECT_GT(planned, 0);
    t.ok(mim_masked_loss(t.ctx(), loss, nullptr, dpred, nullptr, pred, target, mask, nullptr,
                         &params));
    t.ok(mim_context_get_info(t.ctx(), &info));
    EXPECT_EQ(planned, info.scratch_peak);
}
OP_CASES(masked_loss_planning, {});
