// Of what shape the blocks of a launch are, for nvcc and for the emulator. Each has its own dim3, which
// must be known before this file.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>

namespace mim::cuda {

inline std::string place_of(const std::source_location& where) {
    const std::string file = where.file_name();
    return "the kernel launched at " + file.substr(file.find_last_of('/') + 1) + ":" +
           std::to_string(where.line());
}

struct launch_shape {
    launch_shape(dim3 grid, dim3 block, int64_t shared = 0,
                 std::source_location where = std::source_location::current())
        : grid(grid), block(block), shared(shared), where(where) {}
    dim3 grid, block;
    int64_t shared;  // bytes of shared memory a block has
    std::source_location where;
};

// What block_memory::take<T>(count) takes.
template <class T>
__host__ __device__ constexpr int64_t shared_bytes(int64_t count) {
    return (count * int64_t(sizeof(T)) + 15) / 16 * 16;
}

}  // namespace mim::cuda
