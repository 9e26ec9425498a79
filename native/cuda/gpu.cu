// The device itself, and the door through which libmim opens this library.
#include "cuda/gpu.h"

namespace mim::cuda {

gpu::gpu(int32_t index) : index_(index), properties_(open_device(index)), stream_(make_stream()) {}

gpu::~gpu() {
    destroy_stream(stream_);
}

void* gpu::allocate(int64_t bytes) {
    use_device(index_);
    return allocate_device(bytes);
}

// What is still under way may use the memory.
void gpu::release(void* memory, int64_t) noexcept {
    try {
        use_device(index_);
        cuda::synchronize(stream_);
    } catch (...) {  // a device that failed has nothing under way
    }
    release_device(memory);
}

void gpu::synchronize() {
    use_device(index_);
    cuda::synchronize(stream_);
}

}  // namespace mim::cuda

// Found by name (core/cuda_library.cpp).
extern "C" MIM_API mim::backend* mim_cuda_make_backend(int32_t index) {
    return new mim::cuda::gpu(index);
}
extern "C" MIM_API uint64_t mim_cuda_built_against() {
    return mim::backend_hash;
}
