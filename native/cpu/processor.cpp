// The processor itself: what it can do, and its memory.
#include "cpu/processor.h"

#include <sys/mman.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "cpu/level.h"
#include "cpu/matmul.h"

namespace mim {

std::shared_ptr<backend> make_cpu_backend(int32_t threads) {
    return std::make_shared<cpu::processor>(threads);
}

}  // namespace mim

namespace mim::cpu {

namespace {

constexpr int64_t huge_page = 2 << 20;

std::string model_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
    return "unknown processor";
}

}  // namespace

std::string processor::description() const {
    return model_name() + ", " + level_description() + ", " + std::to_string(threads_) +
           (threads_ == 1 ? " thread, " : " threads, ") + matrix_library();
}

bool processor::has_bf16() const {
    return level_in_use() == level::avx512_bf16;
}

namespace {

// Work is done when it was asked for, so the moment is now.
class moment final : public backend::event {
public:
    void record() override { when_ = std::chrono::steady_clock::now(); }
    void synchronize() override {}
    double seconds_since(event& first) override {
        return std::chrono::duration<double>(when_ - static_cast<moment&>(first).when_).count();
    }

private:
    std::chrono::steady_clock::time_point when_;
};

}  // namespace

std::unique_ptr<backend::event> processor::make_event() {
    return std::make_unique<moment>();
}

// Small buffers come from the heap; large ones are mapped on their own, aligned to huge pages and
// asking for them.
void* processor::allocate(int64_t bytes) {
    const bool large = bytes >= huge_page;
    const int64_t alignment = large ? huge_page : 64;
    if (bytes > (int64_t(1) << 46)) throw std::bad_alloc();
    // exactly these bytes, so that a sanitizer sees the first one behind them
    void* memory = nullptr;
    if (posix_memalign(&memory, size_t(alignment), size_t(bytes)) != 0) throw std::bad_alloc();
    if (large) madvise(memory, size_t(bytes), MADV_HUGEPAGE);
    std::memset(memory, 0, size_t(bytes));
    return memory;
}

void processor::release(void* memory, int64_t) noexcept {
    std::free(memory);
}

namespace {

// Everything that was asked for is done: it copies at once.
class immediate_readback final : public readback {
public:
    explicit immediate_readback(int64_t bytes) : readback(bytes), memory_(size_t(bytes)) {}
    void start(const view& from) override {
        std::memcpy(memory_.data(), from.data, size_t(elements(from) * dtype_bytes(from.dtype)));
    }
    void wait() override {}
    void* data() override { return memory_.data(); }

private:
    std::vector<std::byte> memory_;
};

class immediate_upload final : public upload {
public:
    immediate_upload() : upload(1) {}
    void start(int32_t, void* to, const void* from, int64_t bytes) override {
        std::memcpy(to, from, size_t(bytes));
    }
};

}  // namespace

std::unique_ptr<readback> processor::make_readback(int64_t bytes) {
    return std::make_unique<immediate_readback>(bytes);
}

std::unique_ptr<upload> processor::make_upload(int64_t) {
    return std::make_unique<immediate_upload>();
}

}  // namespace mim::cpu
