#include "cuda/step_graph.h"

#include <algorithm>
#include <utility>

namespace mim::cuda {

step_graph::~step_graph() {
    for (auto& [number, step] : steps_) {
        forget(step);
        for (slot& s : step.slots) {
            if (s.finished != nullptr) destroy_event(s.finished);
            for (const chunk& c : s.chunks) release_host(c.memory);
        }
    }
}

void step_graph::note(const void* bytes, size_t count) {
    slot& s = current();
    const char* from = static_cast<const char*>(bytes);
    if (now_ == mode::recording) {
        s.asked.insert(s.asked.end(), from, from + count);
    } else if (is_same_) {
        is_same_ = count <= s.asked.size() - compared_ &&
                   std::memcmp(s.asked.data() + compared_, from, count) == 0;
        compared_ += count;
    }
}

void step_graph::begin(int32_t number) {
    repeated_step& step = steps_[number];
    if (step.is_warm) {
        slot& s = step.slots[step.turn];
        if (s.is_started) wait_for(s.finished);  // its pinned memory is read until then
        s.now = 0;
        s.used = 0;
        is_same_ = true;
        compared_ = 0;
        const std::lock_guard lock(gate_);
        if (s.recorded == nullptr) {
            s.asked.clear();
            begin_recording(stream_);
            now_ = mode::recording;
        } else {
            now_ = mode::comparing;
        }
    }
    open_ = &step;
}

bool step_graph::end() {
    const leaving whatever_happens{*this};
    repeated_step& step = *open_;
    if (now_ == mode::direct) {
        step.is_warm = true;
        return true;
    }
    slot& s = current();
    const bool is_replay = now_ == mode::comparing;
    if (is_replay && !(is_same_ && compared_ == s.asked.size())) {
        forget(step);
        return false;
    }
    try {
        if (!is_replay) s.recorded = end_recording(stream_);
        start(s);
    } catch (...) {
        forget(step);
        throw;
    }
    replayed_ += is_replay;
    step.turn ^= 1;
    return true;
}

void step_graph::cancel() noexcept {
    if (open_ == nullptr) return;
    const leaving whatever_happens{*this};
    if (now_ == mode::recording) cancel_recording(stream_);
    forget(*open_);
}

// What the device still does of a graph it does to the end.
void step_graph::forget(repeated_step& step) noexcept {
    step.is_warm = false;
    for (slot& s : step.slots)
        if (s.recorded != nullptr) destroy_graph(std::exchange(s.recorded, nullptr));
}

void step_graph::start(slot& s) {
    if (s.finished == nullptr) s.finished = make_event();
    cuda::start(s.recorded, stream_);
    record(s.finished, stream_);
    s.is_started = true;
}

void step_graph::leave() noexcept {
    const std::lock_guard lock(gate_);
    now_ = mode::direct;
    open_ = nullptr;
    if (released_.empty()) return;
    try {
        synchronize(stream_);
    } catch (...) {  // a device that failed has nothing under way
    }
    for (void* memory : released_) release_device(memory);
    released_.clear();
}

// A stream that records cannot be waited for, and a step that is gathered uses the memory when it is
// started, not yet.
void step_graph::release(void* memory) noexcept {
    const std::lock_guard lock(gate_);
    try {
        if (now_ != mode::direct) return released_.push_back(memory);
        synchronize(stream_);
    } catch (...) {  // a device that failed has nothing under way
    }
    release_device(memory);
}

const void* step_graph::staged(const void* bytes, int64_t count) {
    constexpr int64_t alignment = 64, least_chunk = int64_t(1) << 20;
    if (now_ == mode::direct || !is_same_) return bytes;
    slot& s = current();
    const int64_t room = (count + alignment - 1) / alignment * alignment;
    while (s.now < s.chunks.size() && s.used + room > s.chunks[s.now].bytes) {
        ++s.now;
        s.used = 0;
    }
    if (s.now == s.chunks.size()) {
        const int64_t size = std::max(room, least_chunk);
        s.chunks.reserve(s.chunks.size() + 1);
        s.chunks.push_back({static_cast<char*>(allocate_host(size)), size});
        s.used = 0;
    }
    char* place = s.chunks[s.now].memory + s.used;
    s.used += room;
    std::memcpy(place, bytes, size_t(count));
    return place;
}

}  // namespace mim::cuda
