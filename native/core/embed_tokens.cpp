// Encoder tokens: argument checks (tokens.h).
#include "core/ids.h"

using namespace mim;

namespace {

// x (B, K, D), y (B, E+K, D), position (E+L, D), ids and mask (B, K), token (D). Without ids L = K;
// with ids L is what position holds. Returns L, or 0 where nothing says what it is.
int64_t require_embedding(const view& y, const char* y_name, const view& x, int64_t extra,
                          const view* position, const char* position_name, const view* ids,
                          const view* mask, const view* token, const char* token_name) {
    const int64_t batch = x.shape[0], kept = x.shape[1], dim = x.shape[2];
    require_dense_shape(y, y_name, {batch, extra + kept, dim}, x.dtype);
    if (ids != nullptr) require_dense_shape(*ids, "ids", {batch, kept}, MIM_I32);
    if (mask != nullptr) require_dense_shape(*mask, "mask", {batch, kept});
    if (token != nullptr) require_dense_shape(*token, token_name, {dim});
    if (token != nullptr && mask == nullptr)
        fail_argument(std::string("mask is null, expected one beside ") + token_name);
    if (position == nullptr) return 0;
    require_dense(*position, position_name, 2);
    const int64_t rows = ids != nullptr ? position->shape[0] : extra + kept;
    require_dense_shape(*position, position_name, {rows, dim});
    if (rows <= extra)
        fail_argument(std::string(position_name) + " is " + describe(*position) +
                      ", expected a row for the class token and at least one for patches");
    return rows - extra;
}

}  // namespace

mim_status mim_embed_tokens_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                                    const mim_view* cls, const mim_view* position,
                                    const mim_view* ids, const mim_view* mask,
                                    const mim_view* mask_token) {
    return guarded("mim_embed_tokens_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x)});
        require_dense(*x, "x", 3);
        require_compute_dtype(*x, "x");
        const int64_t patches = require_embedding(*y, "y", *x, cls != nullptr ? 1 : 0, position,
                                                  "position", ids, mask, mask_token, "mask_token");
        if (mask != nullptr && mask_token == nullptr)
            fail_argument("mask_token is null, expected one beside mask");
        if (cls != nullptr) require_dense_shape(*cls, "cls", {x->shape[2]});
        ctx->on_device({{y, "y"},
                        {x, "x"},
                        {cls, "cls"},
                        {position, "position"},
                        {ids, "ids"},
                        {mask, "mask"},
                        {mask_token, "mask_token"}});
        backend& device = ctx->run();
        if (ids != nullptr && position != nullptr) require_ids(*ctx, *ids, "ids", patches);
        device.embed_tokens_forward(*ctx, *y, *x, cls, position, ids, mask, mask_token);
    });
}

mim_status mim_embed_tokens_backward(mim_context* ctx, const mim_view* dx, const mim_view* dcls,
                                     const mim_view* dposition, const mim_view* dmask_token,
                                     const mim_view* dy, const mim_view* ids,
                                     const mim_view* mask) {
    return guarded("mim_embed_tokens_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dx), MIM_ARG(dy)});
        require_dense(*dx, "dx", 3);
        require_compute_dtype(*dx, "dx");
        require_dense(*dy, "dy", 3);
        // the class token may be there without its gradient being wanted
        const int64_t extra = dcls != nullptr || dy->shape[1] == dx->shape[1] + 1 ? 1 : 0;
        const int64_t patches = require_embedding(*dy, "dy", *dx, extra, dposition, "dposition",
                                                  ids, mask, dmask_token, "dmask_token");
        if (dcls != nullptr) require_dense_shape(*dcls, "dcls", {dx->shape[2]});
        ctx->on_device({{dx, "dx"},
                        {dcls, "dcls"},
                        {dposition, "dposition"},
                        {dmask_token, "dmask_token"},
                        {dy, "dy"},
                        {ids, "ids"},
                        {mask, "mask"}});
        backend& device = ctx->run();
        if (ids != nullptr && dposition != nullptr) require_ids(*ctx, *ids, "ids", patches);
        device.embed_tokens_backward(*ctx, *dx, dcls, dposition, dmask_token, *dy, ids, mask);
    });
}
