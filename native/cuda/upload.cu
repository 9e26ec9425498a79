// Numbers on their way to the device: the host packs them into pinned memory, and a stream of copies takes
// them to one of two places while the device computes with the other.
#include <cstring>

#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

constexpr int32_t place_count = 2;

class pinned_upload final : public upload {
public:
    pinned_upload(gpu& device, int64_t bytes) : upload(place_count), device_(device) {
        try {
            asked_ = make_event();
            for (staging& s : staging_) {
                s.copied = make_event();
                s.memory = allocate_host(bytes);
            }
        } catch (...) {
            release();
            throw;
        }
    }
    ~pinned_upload() override {
        try {
            device_.begin();
            for (const staging& s : staging_)
                if (s.is_started) wait_for(s.copied);
        } catch (...) {  // a device that failed has nothing under way
        }
        release();
    }
    void start(int32_t place, void* to, const void* from, int64_t bytes) override {
        device_.require_no_step("uploading");
        staging& s = staging_[place];
        if (s.is_started) wait_for(s.copied);  // the memory is read until then
        std::memcpy(s.memory, from, size_t(bytes));
        device_.send(to, s.memory, bytes, asked_, s.copied);
        s.is_started = true;
    }

private:
    struct staging {
        void* memory = nullptr;
        event copied = nullptr;
        bool is_started = false;
    };

    void release() noexcept {
        for (const staging& s : staging_) {
            if (s.copied != nullptr) destroy_event(s.copied);
            if (s.memory != nullptr) release_host(s.memory);
        }
        if (asked_ != nullptr) destroy_event(asked_);
    }

    gpu& device_;
    staging staging_[place_count];
    event asked_ =
        nullptr;  // what was asked for before the latest start: it may read the other place
};

}  // namespace

std::unique_ptr<upload> gpu::make_upload(int64_t bytes) {
    use_device(index_);
    return std::make_unique<pinned_upload>(*this, bytes);
}

void gpu::send(void* to, const void* pinned, int64_t bytes, cuda::event asked, cuda::event copied) {
    wait_in(copies_, asked);
    copy_bytes(to, pinned, bytes, copies_);
    record(copied, copies_);
    record(asked, stream_);
    wait_in(stream_, copied);
}

}  // namespace mim::cuda
