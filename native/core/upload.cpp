// Uploads: their places on the device, and argument checks (context.h).
#include "core/context.h"

using namespace mim;

struct mim_upload {
    std::shared_ptr<backend> owner;
    int64_t bytes;
    std::vector<device_memory> places;  // end after the copies into them
    std::unique_ptr<upload> copies;
    int32_t latest = 0;
};

mim_status mim_upload_create(mim_context* ctx, mim_upload** upload, int64_t bytes) {
    return guarded("mim_upload_create", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(upload)});
        *upload = nullptr;
        if (bytes < 1) fail_argument("bytes is " + std::to_string(bytes) + ", expected at least 1");
        auto made = std::make_unique<mim_upload>(ctx->device(), bytes);
        made->copies = ctx->device()->make_upload(bytes);
        for (int32_t i = 0; i < made->copies->places(); ++i)
            made->places.emplace_back(ctx->device(), bytes);
        *upload = made.release();
    });
}

void mim_upload_destroy(mim_upload* upload) {
    delete upload;
}

mim_status mim_upload_start(mim_context* ctx, mim_upload* upload, const mim_view* from) {
    return guarded("mim_upload_start", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(upload), MIM_ARG(from)});
        require_dense(*from, "from");
        if (from->device != MIM_CPU)
            fail_argument("from lies on a CUDA device, expected host memory");
        const int64_t bytes = elements(*from) * dtype_bytes(from->dtype);
        if (bytes > upload->bytes)
            fail_argument("from has " + std::to_string(bytes) + " bytes, expected at most the " +
                          std::to_string(upload->bytes) + " of the upload");
        if (upload->owner != ctx->device()) fail_argument("upload belongs to another context");
        ctx->run();
        if (ctx->planning()) return;
        const int32_t next = (upload->latest + 1) % upload->copies->places();
        upload->copies->start(next, upload->places[size_t(next)].data(), from->data, bytes);
        upload->latest = next;
    });
}

void* mim_upload_data(mim_upload* upload) {
    return upload == nullptr ? nullptr : upload->places[size_t(upload->latest)].data();
}

int64_t mim_upload_bytes(mim_upload* upload) {
    return upload == nullptr ? 0 : upload->bytes * upload->copies->places();
}
