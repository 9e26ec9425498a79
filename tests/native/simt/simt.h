// A processor that runs CUDA kernels: for tests where there is no GPU. The threads of a block are
// fibres. Between two barriers each runs by itself, in an order that is drawn anew every time, so
// a missing barrier shows as a wrong result. Kernels are compiled from the sources that nvcc
// compiles; native/cuda/device.h tells what they may use.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>

// The words of the language.
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

#define threadIdx (::mim::simt::here.thread)
#define blockIdx (::mim::simt::here.block)
#define blockDim (::mim::simt::here.block_size)
#define gridDim (::mim::simt::here.grid_size)

namespace mim::simt {

struct position {
    uint3 thread, block;
    dim3 block_size, grid_size;
};
extern position here;  // of the fibre that runs; one kernel runs at a time

// Runs a kernel: body() once for every thread of every block. Throws std::logic_error, with the
// launch's place in the source, for whatever a GPU would have crashed or hung on.
void run(dim3 grid, dim3 block, int64_t shared_bytes, const std::source_location& where,
         const std::function<void()>& body);

// Throws what run throws: a launch that cannot be made.
[[noreturn]] void refuse(const std::source_location& where, const std::string& sentence);

// For the running thread. A failure ends the launch with this sentence.
[[noreturn]] void fail(const std::string& sentence);
void wait_for_block();
void wait_for_warp();

// The calls of one block's threads share memory: the first to come makes it.
void* take_shared(int64_t bytes);

// Every lane of a warp gives `bytes` (at most 64) and, when all have, may read what the others
// gave: all(lane) until the lane's next exchange.
const void* exchange(const void* mine,
                     int64_t bytes);  // of lane 0; the next lane is lane_stride behind
constexpr int64_t lane_stride = 64;

// Copies that are under way until the thread waits for their group.
void copy_later(void* shared, const void* global, int64_t bytes, int64_t filled);
void close_copy_group();
void wait_for_copies(int groups_left);

unsigned lane_number();

}  // namespace mim::simt
