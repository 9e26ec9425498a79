// Readbacks: argument checks (context.h).
#include "core/context.h"

using namespace mim;

struct mim_readback {
    std::shared_ptr<backend> owner;  // ends after its copy
    std::unique_ptr<readback> copy;
};

mim_status mim_readback_create(mim_context* ctx, mim_readback** readback, int64_t bytes) {
    return guarded("mim_readback_create", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(readback)});
        *readback = nullptr;
        if (bytes < 1) fail_argument("bytes is " + std::to_string(bytes) + ", expected at least 1");
        *readback = new mim_readback{ctx->device(), ctx->device()->make_readback(bytes)};
    });
}

void mim_readback_destroy(mim_readback* readback) {
    delete readback;
}

mim_status mim_readback_start(mim_context* ctx, mim_readback* readback, const mim_view* from) {
    return guarded("mim_readback_start", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(readback), MIM_ARG(from)});
        require_dense(*from, "from");
        ctx->on_device({{from, "from"}});
        const int64_t bytes = elements(*from) * dtype_bytes(from->dtype);
        if (bytes > readback->copy->bytes())
            fail_argument("from has " + std::to_string(bytes) + " bytes, expected at most the " +
                          std::to_string(readback->copy->bytes()) + " of the readback");
        if (readback->owner != ctx->device()) fail_argument("readback belongs to another context");
        ctx->run();
        if (!ctx->planning()) readback->copy->start(*from);
    });
}

mim_status mim_readback_wait(mim_context* ctx, mim_readback* readback) {
    return guarded("mim_readback_wait", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(readback)});
        ctx->charge_call();
        ctx->device()->begin();
        readback->copy->wait();
    });
}

void* mim_readback_data(mim_readback* readback) {
    return readback == nullptr ? nullptr : readback->copy->data();
}
