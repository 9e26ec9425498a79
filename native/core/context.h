// The context behind a mim_context: a backend, and the scratch memory that dies with each call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/backend.h"
#include "core/error.h"

namespace mim {

// Memory on a backend's device; ends with its owner.
class device_memory {
public:
    device_memory() = default;
    device_memory(std::shared_ptr<backend> owner, int64_t bytes);
    ~device_memory();
    device_memory(device_memory&& other) noexcept;
    device_memory& operator=(device_memory&& other) noexcept;

    void* data() const { return data_; }
    int64_t bytes() const { return bytes_; }

private:
    std::shared_ptr<backend> owner_;
    void* data_ = nullptr;
    int64_t bytes_ = 0;
};

// Exported for the CUDA backend, which is a library of its own.
class MIM_API context {
public:
    context(std::shared_ptr<backend> device, int32_t device_kind, int32_t threads);
    ~context() { cancel_step(); }
    context(const context&) = delete;
    context& operator=(const context&) = delete;

    int32_t threads() const { return threads_; }
    int32_t device_kind() const { return device_kind_; }
    const std::shared_ptr<backend>& device() const { return device_; }
    const std::string& description() const { return description_; }

    // The backend, ready for one op: scratch of the op before is free again. Checks that views lie
    // on this device are made by on_device. The call's time is charged to this context.
    backend& run();

    // Time spent in calls so far: ops, and waiting for them.
    int64_t native_nanoseconds() const { return native_nanoseconds_; }
    void charge_call() { call_clock::charge(&native_nanoseconds_); }

    // Scratch for the op that is running: 64-byte aligned, not initialised, gone when the next op
    // starts. Take all of an op's scratch before any work, then return early when planning():
    //     float* partial = ctx.scratch<float>(n);
    //     if (ctx.planning()) return;
    template <class T>
    T* scratch(int64_t count) {
        return static_cast<T*>(scratch_bytes(count * int64_t(sizeof(T))));
    }
    bool planning() const { return planning_; }
    void set_planning(bool enabled) { planning_ = enabled; }

    void reserve_scratch(int64_t bytes);
    int64_t scratch_held() const { return scratch_.bytes(); }
    int64_t scratch_peak() const { return scratch_peak_; }

    // Steps that repeat: see mim_step_begin.
    void begin_step(int32_t number);
    bool end_step();
    void cancel_step() noexcept;

    // Every given view must lie on this context's device.
    void on_device(std::initializer_list<std::pair<const view*, const char*>> views) const;

private:
    void* scratch_bytes(int64_t bytes);

    std::shared_ptr<backend> device_;
    int32_t device_kind_;
    int32_t threads_;
    bool planning_ = false;
    int32_t step_ = -1;  // the one that was begun
    std::string description_;
    device_memory scratch_;
    int64_t scratch_used_ = 0;
    int64_t native_nanoseconds_ = 0;
    int64_t scratch_peak_ = 0;
    std::vector<device_memory>
        overflow_;  // blocks of an op that asked for more than was reserved; merged at the next
};

}  // namespace mim

// The handle is the context.
struct mim_context : mim::context {
    using mim::context::context;
};
