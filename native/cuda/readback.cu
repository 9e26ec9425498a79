// Numbers on their way to the host: a copy into pinned memory, and an event behind it.
#include <cstring>

#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

class pinned_readback final : public readback {
public:
    pinned_readback(gpu& device, int64_t bytes)
        : readback(bytes), device_(device), memory_(allocate_host(bytes)) {
        std::memset(memory_, 0, size_t(bytes));
        try {
            finished_ = make_event();
        } catch (...) {
            release_host(memory_);
            throw;
        }
    }
    ~pinned_readback() override {
        try {
            device_.begin();
            wait();      // a copy under way writes the memory
        } catch (...) {  // a device that failed has nothing under way
        }
        destroy_event(finished_);
        release_host(memory_);
    }
    void start(const view& from) override {
        device_.read_back(memory_, from.data, elements(from) * dtype_bytes(from.dtype), finished_);
        is_started_ = true;
    }
    void wait() override {
        if (is_started_) wait_for(finished_);
    }
    void* data() override { return memory_; }

private:
    gpu& device_;
    void* memory_;
    event finished_ = nullptr;
    bool is_started_ = false;
};

}  // namespace

std::unique_ptr<readback> gpu::make_readback(int64_t bytes) {
    use_device(index_);
    return std::make_unique<pinned_readback>(*this, bytes);
}

void gpu::read_back(void* pinned, const void* from, int64_t bytes, cuda::event finished) {
    require_no_step("reading back");
    copy_bytes(pinned, from, bytes, stream_);
    record(finished, stream_);
}

}  // namespace mim::cuda
