// What host code asks of CUDA itself. cuda/runtime.cu answers with the CUDA runtime, an emulator
// (tests) with the processor's memory. Everything throws mim::error.
#pragma once

#include <cstdint>
#include <string>

#include "cuda/device.h"

namespace mim::cuda {

// What a device is, as far as kernels and people want to know.
struct device_properties {
    std::string description;  // a line for people: name, compute capability, memory, versions
    int32_t multiprocessors;
    int64_t shared_bytes_per_block;  // the most that a launch may ask for
    int64_t cache_bytes;             // level 2
    double clock_hertz;              // of the multiprocessors, at most
};

// The device with this number, made the calling thread's; MIM_ERROR_DEVICE_UNAVAILABLE with the
// reason where it cannot be had, or computes in less than sm_80.
device_properties open_device(int32_t index);
// A thread that comes later works on it too.
void use_device(int32_t index);

stream make_stream();
void destroy_stream(stream s) noexcept;
void synchronize(stream s);

// A moment in the order of a stream, and the device's own time from one to another that has been
// recorded after it: that waits for the second.
event make_event();
void destroy_event(event e) noexcept;
void record(event e, stream s);
double seconds_between(event first, event second);
// The host waits for what was recorded into the stream before the event.
void wait_for(event e);
// What is put into the stream from now on waits for what came before the event in its own stream, as it
// was recorded last; an event that never was is not waited for.
void wait_in(stream s, event e);

void* allocate_device(int64_t bytes);  // zeroed; throws std::bad_alloc
void release_device(void* memory) noexcept;

// Between device and device, or device and host; in the order of the stream. Host memory may be
// used again as soon as it returns.
void copy_bytes(void* to, const void* from, int64_t bytes, stream s);
void clear_bytes(void* to, int64_t bytes, stream s);

// Memory of the host that the device reads by itself while the host goes on.
void* allocate_host(int64_t bytes);  // throws std::bad_alloc
void release_host(void* memory) noexcept;

// What is asked of the stream between the two is not done but kept, as a whole that can be started
// again and again. Copies read host memory when it is started.
void begin_recording(stream s);
graph end_recording(stream s);  // ends it too where it throws
void cancel_recording(stream s) noexcept;
void start(graph g, stream s);
void destroy_graph(graph g) noexcept;

}  // namespace mim::cuda
