// The emulator behind cuda/runtime.h: one device, on which everything happens at once.
#include "cuda/runtime.h"

#include <cstring>

#include "core/error.h"

namespace mim::cuda {

device_properties open_device(int32_t index) {
    if (index != 0)
        throw error(MIM_ERROR_DEVICE_UNAVAILABLE,
                    "params.device_index is " + std::to_string(index) +
                        ", but there are 1 CUDA devices, numbered from 0");
    return {.description = "CUDA emulated by the processor, for tests alone",
            .multiprocessors = 4,
            .shared_bytes_per_block = 227 << 10,
            .cache_bytes = 1 << 20,
            .clock_hertz = 1e6};  // loops that last a while on a device are short ones here
}

void use_device(int32_t) {}

stream make_stream() {
    return new stream_t;
}
void destroy_stream(stream s) noexcept {
    delete s;
}
void synchronize(stream) {}

event make_event() {
    return new event_t;
}
void destroy_event(event e) noexcept {
    delete e;
}
void record(event e, stream) {
    e->when = std::chrono::steady_clock::now();
}
double seconds_between(event first, event second) {
    return std::chrono::duration<double>(second->when - first->when).count();
}

void* allocate_device(int64_t bytes) {
    return simt::allocate(bytes);
}
void release_device(void* memory) noexcept {
    simt::release(memory);
}

void copy_bytes(void* to, const void* from, int64_t bytes, stream) {
    simt::access device;
    std::memmove(to, from, size_t(bytes));
    device.check();
}
void clear_bytes(void* to, int64_t bytes, stream) {
    simt::access device;
    std::memset(to, 0, size_t(bytes));
}

}  // namespace mim::cuda
