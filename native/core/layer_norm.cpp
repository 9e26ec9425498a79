// LayerNorm: argument checks (layers.h).
#include "core/context.h"

using namespace mim;

mim_status mim_layer_norm_forward(mim_context* ctx, const mim_view* y, const mim_view* sum,
                                  const mim_view* mean, const mim_view* rstd, const mim_view* x,
                                  const mim_view* branch, const mim_view* gamma,
                                  const mim_view* beta, const mim_layer_norm_params* params) {
    return guarded("mim_layer_norm_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(mean), MIM_ARG(rstd), MIM_ARG(x),
                         MIM_ARG(gamma), MIM_ARG(beta)});
        require_params(params);
        require_dense(*x, "x", 2);
        require_compute_dtype(*x, "x");
        const int64_t rows = x->shape[0], cols = x->shape[1];
        if ((branch == nullptr) != (sum == nullptr))
            fail_argument("branch and sum must be given together or not at all");
        for (const auto& [v, name] :
             {std::pair(y, "y"), std::pair(sum, "sum"), std::pair(branch, "branch")})
            if (v != nullptr) require_dense_shape(*v, name, {rows, cols}, x->dtype);
        require_dense_shape(*mean, "mean", {rows});
        require_dense_shape(*rstd, "rstd", {rows});
        require_dense_shape(*gamma, "gamma", {cols});
        require_dense_shape(*beta, "beta", {cols});
        if (!(params->eps > 0))
            fail_argument("params.eps is " + std::to_string(params->eps) + ", expected above 0");
        ctx->on_device({{y, "y"},
                        {sum, "sum"},
                        {mean, "mean"},
                        {rstd, "rstd"},
                        {x, "x"},
                        {branch, "branch"},
                        {gamma, "gamma"},
                        {beta, "beta"}});
        ctx->run().layer_norm_forward(*ctx, *y, sum, *mean, *rstd, *x, branch, *gamma, *beta,
                                      *params);
    });
}

mim_status mim_layer_norm_backward(mim_context* ctx, const mim_view* dx, const mim_view* dgamma,
                                   const mim_view* dbeta, const mim_view* dy, const mim_view* dsum,
                                   const mim_view* sum, const mim_view* mean, const mim_view* rstd,
                                   const mim_view* gamma) {
    return guarded("mim_layer_norm_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dx), MIM_ARG(dgamma), MIM_ARG(dbeta), MIM_ARG(dy),
                         MIM_ARG(sum), MIM_ARG(mean), MIM_ARG(rstd), MIM_ARG(gamma)});
        require_dense(*sum, "sum", 2);
        require_compute_dtype(*sum, "sum");
        const int64_t rows = sum->shape[0], cols = sum->shape[1];
        for (const auto& [v, name] :
             {std::pair(dx, "dx"), std::pair(dy, "dy"), std::pair(dsum, "dsum")})
            if (v != nullptr) require_dense_shape(*v, name, {rows, cols}, sum->dtype);
        require_dense_shape(*mean, "mean", {rows});
        require_dense_shape(*rstd, "rstd", {rows});
        require_dense_shape(*gamma, "gamma", {cols});
        require_dense_shape(*dgamma, "dgamma", {cols});
        require_dense_shape(*dbeta, "dbeta", {cols});
        ctx->on_device({{dx, "dx"},
                        {dgamma, "dgamma"},
                        {dbeta, "dbeta"},
                        {dy, "dy"},
                        {dsum, "dsum"},
                        {sum, "sum"},
                        {mean, "mean"},
                        {rstd, "rstd"},
                        {gamma, "gamma"}});
        ctx->run().layer_norm_backward(*ctx, *dx, *dgamma, *dbeta, *dy, dsum, *sum, *mean, *rstd,
                                       *gamma);
    });
}

mim_status mim_layer_norm_again(mim_context* ctx, const mim_view* y, const mim_view* sum,
                                const mim_view* mean, const mim_view* rstd, const mim_view* gamma,
                                const mim_view* beta) {
    return guarded("mim_layer_norm_again", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(sum), MIM_ARG(mean), MIM_ARG(rstd),
                         MIM_ARG(gamma), MIM_ARG(beta)});
        require_dense(*sum, "sum", 2);
        require_compute_dtype(*sum, "sum");
        const int64_t rows = sum->shape[0], cols = sum->shape[1];
        require_dense_shape(*y, "y", {rows, cols}, sum->dtype);
        require_dense_shape(*mean, "mean", {rows});
        require_dense_shape(*rstd, "rstd", {rows});
        require_dense_shape(*gamma, "gamma", {cols});
        require_dense_shape(*beta, "beta", {cols});
        ctx->on_device({{y, "y"},
                        {sum, "sum"},
                        {mean, "mean"},
                        {rstd, "rstd"},
                        {gamma, "gamma"},
                        {beta, "beta"}});
        ctx->run().layer_norm_again(*ctx, *y, *sum, *mean, *rstd, *gamma, *beta);
    });
}
