// Cross entropy: argument checks (losses.h).
#include <cmath>

#include "core/context.h"
#include "core/ids.h"

using namespace mim;

mim_status mim_cross_entropy(mim_context* ctx, const mim_view* loss, const mim_view* loss_per_row,
                             const mim_view* dlogits, const mim_view* logits,
                             const mim_view* labels, const mim_view* targets,
                             const mim_cross_entropy_params* params) {
    return guarded("mim_cross_entropy", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(loss), MIM_ARG(logits)});
        require_params(params);
        require_dense(*logits, "logits", 2);
        require_compute_dtype(*logits, "logits");
        const int64_t rows = logits->shape[0], classes = logits->shape[1];
        if ((labels == nullptr) == (targets == nullptr))
            fail_argument(std::string("labels and targets are both ") +
                          (labels == nullptr ? "null" : "given") + ", expected one of them");
        if (classes > INT32_MAX)
            fail_argument("logits has " + std::to_string(classes) + " columns, expected at most " +
                          std::to_string(INT32_MAX));
        if (labels != nullptr) require_dense_shape(*labels, "labels", {rows}, MIM_I32);
        if (targets != nullptr) require_dense_shape(*targets, "targets", {rows, classes});
        require_dense_shape(*loss, "loss", {1});
        if (loss_per_row != nullptr) require_dense_shape(*loss_per_row, "loss_per_row", {rows});
        if (dlogits != nullptr)
            require_dense_shape(*dlogits, "dlogits", {rows, classes}, logits->dtype);
        if (!(params->smoothing >= 0 && params->smoothing <= 1))
            fail_argument("params.smoothing is " + std::to_string(params->smoothing) +
                          ", expected 0 to 1");
        if (!std::isfinite(params->grad_scale))
            fail_argument("params.grad_scale is " + std::to_string(params->grad_scale) +
                          ", expected a finite number");
        ctx->on_device({{loss, "loss"},
                        {loss_per_row, "loss_per_row"},
                        {dlogits, "dlogits"},
                        {logits, "logits"},
                        {labels, "labels"},
                        {targets, "targets"}});
        backend& device = ctx->run();
        if (labels != nullptr) require_ids(*ctx, *labels, "labels", classes);
        device.cross_entropy(*ctx, *loss, loss_per_row, dlogits, *logits, labels, targets, *params);
    });
}
