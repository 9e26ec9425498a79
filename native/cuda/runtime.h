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
};

// The device with this number, made the calling thread's; MIM_ERROR_DEVICE_UNAVAILABLE with the
// reason where it cannot be had, or computes in less than sm_80.
device_properties open_device(int32_t index);
// A thread that comes later works on it too.
void use_device(int32_t index);

stream make_stream();
void destroy_stream(stream s) noexcept;
void synchronize(stream s);

void* allocate_device(int64_t bytes);  // zeroed; throws std::bad_alloc
void release_device(void* memory) noexcept;

// Between device and device, or device and host; in the order of the stream. Host memory may be
// used again as soon as it returns.
void copy_bytes(void* to, const void* from, int64_t bytes, stream s);
void clear_bytes(void* to, int64_t bytes, stream s);

}  // namespace mim::cuda
