// Decoder tokens: argument checks (tokens.h).
#include "core/ids.h"

using namespace mim;

namespace {

// kept (B, E+K, D), all (B, E+L, D), ids_restore (B, L), position (E+L, D): E is what all has more
// than ids_restore.
void require_restoration(const view& all, const char* all_name, const view& kept,
                         const char* kept_name, const view* token, const char* token_name,
                         const view* position, const char* position_name, const view& ids_restore) {
    require_dense(kept, kept_name, 3);
    require_compute_dtype(kept, kept_name);
    require_dense(all, all_name, 3);
    require_dense(ids_restore, "ids_restore", 2);
    const int64_t batch = kept.shape[0], dim = kept.shape[2], patches = ids_restore.shape[1];
    const int64_t extra = all.shape[1] == patches + 1 ? 1 : 0;
    require_dense_shape(ids_restore, "ids_restore", {batch, patches}, MIM_I32);
    require_dense_shape(all, all_name, {batch, extra + patches, dim}, kept.dtype);
    if (kept.shape[1] > extra + patches)
        fail_argument(std::string(kept_name) + " is " + describe(kept) +
                      ", expected at most the tokens of " + all_name + ", " +
                      std::to_string(extra + patches));
    if (token != nullptr) require_dense_shape(*token, token_name, {dim});
    if (position != nullptr) require_dense_shape(*position, position_name, {extra + patches, dim});
}

}  // namespace

mim_status mim_restore_tokens_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                                      const mim_view* mask_token, const mim_view* position,
                                      const mim_view* ids_restore) {
    return guarded("mim_restore_tokens_forward", [&] {
        require_present(
            {MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x), MIM_ARG(mask_token), MIM_ARG(ids_restore)});
        require_restoration(*y, "y", *x, "x", mask_token, "mask_token", position, "position",
                            *ids_restore);
        ctx->on_device({{y, "y"},
                        {x, "x"},
                        {mask_token, "mask_token"},
                        {position, "position"},
                        {ids_restore, "ids_restore"}});
        backend& device = ctx->run();
        require_distinct_ids(*ctx, *ids_restore, "ids_restore", ids_restore->shape[1]);
        device.restore_tokens_forward(*ctx, *y, *x, *mask_token, position, *ids_restore);
    });
}

mim_status mim_restore_tokens_backward(mim_context* ctx, const mim_view* dx,
                                       const mim_view* dmask_token, const mim_view* dposition,
                                       const mim_view* dy, const mim_view* ids_restore) {
    return guarded("mim_restore_tokens_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dx), MIM_ARG(dy), MIM_ARG(ids_restore)});
        require_restoration(*dy, "dy", *dx, "dx", dmask_token, "dmask_token", dposition,
                            "dposition", *ids_restore);
        ctx->on_device({{dx, "dx"},
                        {dmask_token, "dmask_token"},
                        {dposition, "dposition"},
                        {dy, "dy"},
                        {ids_restore, "ids_restore"}});
        backend& device = ctx->run();
        require_distinct_ids(*ctx, *ids_restore, "ids_restore", ids_restore->shape[1]);
        device.restore_tokens_backward(*ctx, *dx, dmask_token, dposition, *dy, *ids_restore);
    });
}
