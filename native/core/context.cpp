// Contexts, scratch memory and buffers (context.h).
#include "core/context.h"

#include <sched.h>

#include <algorithm>
#include <utility>

namespace mim {

namespace {

constexpr int64_t alignment = 64;
constexpr int64_t round_up(int64_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
}

int32_t available_processors() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return std::max(1, CPU_COUNT(&set));
}

}  // namespace

device_memory::device_memory(std::shared_ptr<backend> owner, int64_t bytes)
    : owner_(std::move(owner)), data_(owner_->allocate(bytes)), bytes_(bytes) {
    const int64_t held = owner_->bytes_held += bytes;
    for (int64_t peak = owner_->bytes_peak;
         peak < held && !owner_->bytes_peak.compare_exchange_weak(peak, held);) {
    }
}

device_memory::~device_memory() {
    if (data_ == nullptr) return;
    owner_->release(data_, bytes_);
    owner_->bytes_held -= bytes_;
}

device_memory::device_memory(device_memory&& other) noexcept {
    *this = std::move(other);
}

device_memory& device_memory::operator=(device_memory&& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

context::context(std::shared_ptr<backend> device, int32_t device_kind, int32_t threads)
    : device_(std::move(device)),
      device_kind_(device_kind),
      threads_(threads),
      description_(device_->description()) {}

backend& context::run() {
    charge_call();
    if (!overflow_.empty()) {  // the last op needed more than one block: make one that holds it all
        overflow_.clear();
        reserve_scratch(scratch_peak_);
    }
    scratch_used_ = 0;
    device_->begin();
    return *device_;
}

void* context::scratch_bytes(int64_t bytes) {
    if (bytes < 0) fail_argument("a scratch size overflows");
    const int64_t offset = scratch_used_;
    scratch_used_ += round_up(std::max<int64_t>(bytes, 1));
    scratch_peak_ = std::max(scratch_peak_, scratch_used_);
    if (planning_) return nullptr;
    if (scratch_used_ <= scratch_.bytes()) return static_cast<char*>(scratch_.data()) + offset;
    overflow_.emplace_back(device_, round_up(std::max<int64_t>(bytes, 1)));
    return overflow_.back().data();
}

void context::reserve_scratch(int64_t bytes) {
    if (bytes <= scratch_.bytes()) return;
    scratch_ = device_memory();  // first the old one goes, then the new one comes
    scratch_ = device_memory(device_, round_up(bytes));
}

void context::begin_step(int32_t number) {
    if (step_ >= 0)
        fail_argument("step " + std::to_string(number) + " is begun within step " +
                      std::to_string(step_) + ", expected mim_step_end or mim_step_cancel first");
    device_->begin_step(number);
    step_ = number;
}

bool context::end_step() {
    if (step_ < 0) fail_argument("no step was begun, expected mim_step_begin first");
    step_ = -1;
    return device_->end_step();
}

void context::cancel_step() noexcept {
    if (step_ >= 0) device_->cancel_step();
    step_ = -1;
}

void context::on_device(std::initializer_list<std::pair<const view*, const char*>> views) const {
    for (const auto& [v, name] : views)
        if (v != nullptr && v->device != device_kind_)
            fail_argument(std::string(name) + " lies on " +
                          (v->device == MIM_CPU ? "the CPU" : "a CUDA device") +
                          ", expected the context's device");
}

}  // namespace mim

struct mim_buffer {
    mim::device_memory memory;
};

using mim::guarded;
using mim::require_params;
using mim::require_present;

mim_status mim_context_create(mim_context** ctx, const mim_context_params* params) {
    return guarded("mim_context_create", [&] {
        require_present({MIM_ARG(ctx)});
        *ctx = nullptr;
        require_params(params);
        if (params->threads < 0 || params->threads > 4096)
            mim::fail_argument("params.threads is " + std::to_string(params->threads) +
                               ", expected 0 to 4096");
        if (params->device_index < 0)
            mim::fail_argument("params.device_index is " + std::to_string(params->device_index) +
                               ", expected at least 0");
        const int32_t threads = params->threads > 0 ? params->threads : mim::available_processors();
        if (params->device == MIM_CUDA) {
            *ctx = new mim_context(mim::make_cuda_backend(params->device_index), params->device,
                                   threads);
            return;
        }
        if (params->device != MIM_CPU)
            mim::fail_argument("params.device is " + std::to_string(params->device) +
                               ", which is no mim_device");
        if (params->device_index != 0)
            mim::fail_argument("params.device_index is " + std::to_string(params->device_index) +
                               ", expected 0 on the CPU");
#ifdef MIM_WITHOUT_CPU
        throw mim::error(MIM_ERROR_DEVICE_UNAVAILABLE,
                         "the CPU was asked for, but this library was built without it");
#else
        *ctx = new mim_context(mim::make_cpu_backend(threads), params->device, threads);
#endif
    });
}

void mim_context_destroy(mim_context* ctx) {
    delete ctx;
}

mim_status mim_context_get_info(mim_context* ctx, mim_context_info* info) {
    return guarded("mim_context_get_info", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(info)});
        require_params(info, "info");
        info->device = ctx->device_kind();
        info->threads = ctx->threads();
        info->has_bf16 = ctx->device()->has_bf16();
        info->scratch_bytes = ctx->scratch_held();
        info->scratch_peak = ctx->scratch_peak();
        info->native_nanoseconds = ctx->native_nanoseconds();
        info->replayed_steps = ctx->device()->replayed_steps();
        info->memory_bytes = ctx->device()->bytes_held;
        info->memory_peak = ctx->device()->bytes_peak;
    });
}

const char* mim_context_description(mim_context* ctx) {
    return ctx == nullptr ? "" : ctx->description().c_str();
}

mim_status mim_context_set_planning(mim_context* ctx, int32_t enabled) {
    return guarded("mim_context_set_planning", [&] {
        require_present({MIM_ARG(ctx)});
        ctx->set_planning(enabled != 0);
    });
}

mim_status mim_context_reserve_scratch(mim_context* ctx, int64_t bytes) {
    return guarded("mim_context_reserve_scratch", [&] {
        require_present({MIM_ARG(ctx)});
        if (bytes < 0)
            mim::fail_argument("bytes is " + std::to_string(bytes) + ", expected at least 0");
        ctx->reserve_scratch(bytes);
    });
}

mim_status mim_context_synchronize(mim_context* ctx) {
    return guarded("mim_context_synchronize", [&] {
        require_present({MIM_ARG(ctx)});
        ctx->charge_call();
        ctx->device()->synchronize();
    });
}

mim_status mim_step_begin(mim_context* ctx, int32_t number) {
    return guarded("mim_step_begin", [&] {
        require_present({MIM_ARG(ctx)});
        if (number < 0)
            mim::fail_argument("number is " + std::to_string(number) + ", expected at least 0");
        ctx->charge_call();
        ctx->begin_step(number);
    });
}

mim_status mim_step_end(mim_context* ctx, int32_t* started) {
    return guarded("mim_step_end", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(started)});
        *started = 0;
        ctx->charge_call();
        *started = ctx->end_step();
    });
}

mim_status mim_step_cancel(mim_context* ctx) {
    return guarded("mim_step_cancel", [&] {
        require_present({MIM_ARG(ctx)});
        ctx->charge_call();
        ctx->cancel_step();
    });
}

mim_status mim_buffer_create(mim_context* ctx, mim_buffer** buffer, int64_t bytes) {
    return guarded("mim_buffer_create", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(buffer)});
        *buffer = nullptr;
        if (bytes < 1)
            mim::fail_argument("bytes is " + std::to_string(bytes) + ", expected at least 1");
        *buffer = new mim_buffer{mim::device_memory(ctx->device(), bytes)};
    });
}

void mim_buffer_destroy(mim_buffer* buffer) {
    delete buffer;
}
void* mim_buffer_data(mim_buffer* buffer) {
    return buffer == nullptr ? nullptr : buffer->memory.data();
}
int64_t mim_buffer_bytes(mim_buffer* buffer) {
    return buffer == nullptr ? 0 : buffer->memory.bytes();
}
