// Masked reconstruction loss: argument checks (losses.h).
#include <cmath>

#include "core/context.h"

using namespace mim;

namespace {

[[noreturn]] void fail_param(const char* name, const std::string& value,
                             const std::string& expected) {
    fail_argument(std::string("params.") + name + " is " + value + ", expected " + expected);
}

void require_finite_param(const char* name, float value, bool inside, const char* expected) {
    if (!inside || !std::isfinite(value)) fail_param(name, std::to_string(value), expected);
}

void require_patch_extent(const char* name, int32_t extent, const char* axis, int64_t pixels) {
    if (extent < 1) fail_param(name, std::to_string(extent), "at least 1");
    if (pixels % extent != 0)
        fail_param(
            name, std::to_string(extent),
            std::string("a divisor of the ") + axis + " of target, " + std::to_string(pixels));
}

// A grid of cells over the image: whole pixels to a cell, whole cells to a patch.
void require_cells(const view& mask, const view& target, const mim_masked_loss_params& params,
                   const view* ids) {
    if (ids != nullptr)
        fail_argument("ids is given, expected NULL: mask is " + describe(mask) +
                      ", a grid of cells over the image");
    require_dense_shape(mask, "mask", {target.shape[0], mask.shape[1], mask.shape[2]});
    const int64_t patch[2] = {params.patch_height, params.patch_width};
    for (int axis = 0; axis < 2; ++axis) {
        const int64_t pixels = target.shape[2 + axis], cells = mask.shape[1 + axis];
        if (pixels % cells != 0 || patch[axis] % (pixels / cells) != 0)
            fail_argument("mask is " + describe(mask) + ", expected " +
                          (axis == 0 ? "a height" : "a width") + " that divides target's, " +
                          std::to_string(pixels) + ", and is a multiple of its patches', " +
                          std::to_string(pixels / patch[axis]));
    }
}

void require_params_of_masked_loss(const mim_masked_loss_params& params, const view& target) {
    if (params.kind < MIM_LOSS_L2 || params.kind > MIM_LOSS_SMOOTH_L1)
        fail_param("kind", std::to_string(params.kind), "a mim_loss_kind, 0 to 2");
    if (params.order != MIM_PATCH_PIXELS_FIRST && params.order != MIM_PATCH_CHANNELS_FIRST)
        fail_param("order", std::to_string(params.order), "a mim_patch_order, 0 or 1");
    if (params.normalize != 0 && params.normalize != 1)
        fail_param("normalize", std::to_string(params.normalize), "0 or 1");
    require_patch_extent("patch_height", params.patch_height, "height", target.shape[2]);
    require_patch_extent("patch_width", params.patch_width, "width", target.shape[3]);
    if (params.normalize) {
        require_finite_param("normalize_eps", params.normalize_eps, params.normalize_eps > 0,
                             "above 0 and finite");
        if (int64_t(params.patch_height) * params.patch_width * target.shape[1] == 1)
            fail_argument(
                "params.normalize is 1, but a patch has a single value; "
                "its unbiased variance does not exist");
    }
    if (params.kind == MIM_LOSS_SMOOTH_L1)
        require_finite_param("beta", params.beta, params.beta > 0, "above 0 and finite");
    require_finite_param("mask_epsilon", params.mask_epsilon, params.mask_epsilon >= 0,
                         "at least 0 and finite");
    require_finite_param("grad_scale", params.grad_scale, true, "a finite number");
}

}  // namespace

mim_status mim_masked_loss(mim_context* ctx, const mim_view* loss, const mim_view* loss_per_patch,
                           const mim_view* dpred, const mim_view* dtarget, const mim_view* pred,
                           const mim_view* target, const mim_view* mask, const mim_view* ids,
                           const mim_masked_loss_params* params) {
    return guarded("mim_masked_loss", [&] {
        require_present(
            {MIM_ARG(ctx), MIM_ARG(loss), MIM_ARG(pred), MIM_ARG(target), MIM_ARG(mask)});
        require_params(params);
        require_dense(*pred, "pred", 3);
        require_compute_dtype(*pred, "pred");
        require_dense(*target, "target", 4);
        require_dtype(*target, "target", MIM_F32);
        require_params_of_masked_loss(*params, *target);

        const int64_t batch = target->shape[0], channels = target->shape[1];
        const int64_t height = target->shape[2], width = target->shape[3];
        const int64_t patches = height / params->patch_height * (width / params->patch_width);
        const int64_t values = int64_t(params->patch_height) * params->patch_width * channels;
        const int64_t rows = ids == nullptr ? patches : pred->shape[1];
        require_shape(*pred, "pred", {batch, rows, values});
        if (mask->rank == 3)
            require_cells(*mask, *target, *params, ids);
        else
            require_dense_shape(*mask, "mask", {batch, rows});
        if (ids != nullptr) require_dense_shape(*ids, "ids", {batch, rows}, MIM_I32);
        require_dense_shape(*loss, "loss", {1});
        if (loss_per_patch != nullptr)
            require_dense_shape(*loss_per_patch, "loss_per_patch", {batch, rows});
        if (dpred != nullptr)
            require_dense_shape(*dpred, "dpred", {batch, rows, values}, pred->dtype);
        if (dtarget != nullptr)
            require_dense_shape(*dtarget, "dtarget", {batch, channels, height, width});

        ctx->on_device({{loss, "loss"},
                        {loss_per_patch, "loss_per_patch"},
                        {dpred, "dpred"},
                        {dtarget, "dtarget"},
                        {pred, "pred"},
                        {target, "target"},
                        {mask, "mask"},
                        {ids, "ids"}});
        ctx->run().masked_loss(*ctx, *loss, loss_per_patch, dpred, dtarget, *pred, *target, *mask,
                               ids, *params);
    });
}
