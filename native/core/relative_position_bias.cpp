// Relative position bias: argument checks (relative_position.h).
#include "core/ids.h"

using namespace mim;

namespace {

// table (R, H), index (T, S), bias (H, T, S)
void require_lookup(const view& table, const char* table_name, const view& bias,
                    const char* bias_name, const view& index) {
    require_dense(table, table_name, 2);
    require_dtype(table, table_name, MIM_F32);
    require_dense(index, "index", 2);
    require_dtype(index, "index", MIM_I32);
    require_dense_shape(bias, bias_name, {table.shape[1], index.shape[0], index.shape[1]});
}

}  // namespace

mim_status mim_relative_position_bias_forward(mim_context* ctx, const mim_view* bias,
                                              const mim_view* table, const mim_view* index) {
    return guarded("mim_relative_position_bias_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(bias), MIM_ARG(table), MIM_ARG(index)});
        require_lookup(*table, "table", *bias, "bias", *index);
        ctx->on_device({{bias, "bias"}, {table, "table"}, {index, "index"}});
        backend& device = ctx->run();
        require_ids(*ctx, *index, "index", table->shape[0]);
        device.relative_position_bias_forward(*ctx, *bias, *table, *index);
    });
}

mim_status mim_relative_position_bias_backward(mim_context* ctx, const mim_view* dtable,
                                               const mim_view* dbias, const mim_view* index) {
    return guarded("mim_relative_position_bias_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dtable), MIM_ARG(dbias), MIM_ARG(index)});
        require_lookup(*dtable, "dtable", *dbias, "dbias", *index);
        ctx->on_device({{dtable, "dtable"}, {dbias, "dbias"}, {index, "index"}});
        backend& device = ctx->run();
        require_ids(*ctx, *index, "index", dtable->shape[0]);
        device.relative_position_bias_backward(*ctx, *dtable, *dbias, *index);
    });
}
