// The wall between the ABI and the devices: each kernel's signature once. A backend that lacks one
// does not compile. Arguments are checked before a kernel is called, so kernels trust them. Absent
// optional views are null pointers.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/view.h"
#include "mim/mim.h"

namespace mim {

class context;

// Memory of the host that a device copies into while both go on (context.h).
class readback {
public:
    explicit readback(int64_t bytes) : bytes_(bytes) {}
    virtual ~readback() = default;
    int64_t bytes() const { return bytes_; }

    virtual void start(const view& from) = 0;
    virtual void wait() = 0;
    virtual void* data() = 0;

private:
    int64_t bytes_;
};

// Copies of host memory to places on the device, used in turn (context.h).
class upload {
public:
    explicit upload(int32_t places) : places_(places) {}
    virtual ~upload() = default;
    int32_t places() const { return places_; }

    // Work that was asked for before the start before this one may still read the place.
    virtual void start(int32_t place, void* to, const void* from, int64_t bytes) = 0;

private:
    int32_t places_;
};

class backend {
public:
    virtual ~backend() = default;

    // the device
    virtual std::string description() const = 0;
    virtual bool has_bf16() const = 0;
    virtual void* allocate(int64_t bytes) = 0;  // zeroed, aligned to 64; throws std::bad_alloc
    virtual void release(void* memory, int64_t bytes) noexcept = 0;
    virtual void synchronize() = 0;
    virtual void begin() {}  // before each op, in the thread that calls it

    // They may outlive everything but the backend.
    virtual std::unique_ptr<readback> make_readback(int64_t bytes) = 0;
    virtual std::unique_ptr<upload> make_upload(int64_t bytes) = 0;  // `bytes` of one place

    // Steps that repeat (context.h), begun and ended in pairs: a device that does everything at once
    // has nothing to record.
    virtual void begin_step(int32_t) {}
    virtual bool end_step() { return true; }
    virtual void cancel_step() noexcept {}
    virtual int64_t replayed_steps() const { return 0; }

    // A moment of the work; seconds_since waits for both.
    class event {
    public:
        virtual ~event() = default;
        virtual void record() = 0;
        virtual void synchronize() = 0;
        virtual double seconds_since(event& first) = 0;
    };
    virtual std::unique_ptr<event> make_event() = 0;

    // Memory that was allocated and not yet released, counted by device_memory.
    std::atomic<int64_t> bytes_held = 0, bytes_peak = 0;

    // the ops
#define MIM_OP(name, parameters) virtual void name parameters = 0;
#include "core/backend_ops.inc"
#undef MIM_OP
};

// The CPU backend is linked in; `threads` is resolved (at least 1).
std::shared_ptr<backend> make_cpu_backend(int32_t threads);

// The CUDA backend is a library of its own, opened when a device is first asked for and never
// closed. MIM_ERROR_DEVICE_UNAVAILABLE lists every path that was tried, with the loader's words.
std::shared_ptr<backend> make_cuda_backend(int32_t device_index);

}  // namespace mim
