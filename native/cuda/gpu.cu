// The device itself, and the door through which libmim opens this library.
#include "cuda/gpu.h"

#include "core/interface_hash.h"

namespace mim::cuda {

gpu::gpu(int32_t index)
    : index_(index), properties_(open_device(index)), stream_(make_stream()), step_(stream_) {
    try {
        copies_ = make_stream();
    } catch (...) {
        destroy_stream(stream_);
        throw;
    }
}

gpu::~gpu() {
    try {
        use_device(index_);
        step_.cancel();
        cuda::synchronize(stream_);  // what is under way reads memory that ends below
    } catch (...) {                  // a device that failed has nothing under way
    }
    destroy_stream(copies_);
    destroy_stream(stream_);
}

void* gpu::allocate(int64_t bytes) {
    use_device(index_);
    return allocate_device(bytes);
}

void gpu::release(void* memory, int64_t) noexcept {
    try {
        use_device(index_);
    } catch (...) {  // then releasing cannot do anything either
    }
    step_.release(memory);
}

void gpu::synchronize() {
    require_no_step("waiting for the device");
    use_device(index_);
    cuda::synchronize(stream_);
}

void gpu::require_no_step(const char* tried) const {
    if (step_.is_open())
        fail_unsupported(
            std::string(tried) +
            " within a step, whose work is started by mim_step_end, expected after it");
}

void gpu::begin_step(int32_t number) {
    use_device(index_);
    step_.begin(number);
}

bool gpu::end_step() {
    use_device(index_);
    return step_.end();
}

void gpu::cancel_step() noexcept {
    step_.cancel();
}

}  // namespace mim::cuda

// Found by name (core/cuda_library.cpp).
extern "C" MIM_API mim::backend* mim_cuda_make_backend(int32_t index) {
    return new mim::cuda::gpu(index);
}
extern "C" MIM_API uint64_t mim_cuda_built_against() {
    return MIM_INTERFACE_HASH;
}
