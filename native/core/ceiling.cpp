// The machine's ceiling: argument checks (ceiling.h).
#include "core/context.h"

using namespace mim;

mim_status mim_measure_ceiling(mim_context* ctx, mim_ceiling* ceiling) {
    return guarded("mim_measure_ceiling", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(ceiling)});
        require_params(ceiling, "ceiling");
        const int32_t size = ceiling->size;
        *ceiling = {size};
        ctx->run().measure_ceiling(*ctx, *ceiling);
    });
}
