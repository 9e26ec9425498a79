// Moments of the stream (event.h).
#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

class stream_event final : public backend::event {
public:
    stream_event(const gpu& device, int32_t index, stream s)
        : device_(device), index_(index), stream_(s) {
        use_device(index_);
        event_ = cuda::make_event();
    }
    ~stream_event() override { destroy_event(event_); }

    // A step's work has not begun while it is asked for.
    void record() override {
        device_.require_no_step("recording an event");
        use_device(index_);
        cuda::record(event_, stream_);
    }
    void synchronize() override { wait_for(event_); }
    double seconds_since(event& first) override {
        first.synchronize();  // in case it is the later one
        return seconds_between(static_cast<stream_event&>(first).event_, event_);
    }

private:
    const gpu& device_;
    int32_t index_;
    stream stream_;
    cuda::event event_;
};

}  // namespace

std::unique_ptr<backend::event> gpu::make_event() {
    return std::make_unique<stream_event>(*this, index_, stream_);
}

}  // namespace mim::cuda
