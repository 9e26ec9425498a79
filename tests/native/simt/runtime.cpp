// The emulator behind cuda/runtime.h: one device, whose graphs happen as late as they can.
#include "cuda/runtime.h"

#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

#include "core/error.h"

namespace mim::cuda {

device_properties open_device(int32_t index) {
    if (index != 0)
        throw error(MIM_ERROR_DEVICE_UNAVAILABLE,
                    "params.device_index is " + std::to_string(index) +
                        ", but there are 1 CUDA devices, numbered from 0");
    return {.description = "CUDA emulated by the processor, for tests alone",
            .multiprocessors = 4,
            .shared_bytes_per_block = 227 << 10,
            .cache_bytes = 1 << 20,
            .clock_hertz = 1e6};  // loops that last a while on a device are short ones here
}

void use_device(int32_t) {}

namespace {

// Memory that the device reads by itself, by where it ends.
std::mutex host_gate;
std::map<const char*, const char*> host_memory;

bool is_pinned(const void* address) {
    const std::lock_guard lock(host_gate);
    const char* place = static_cast<const char*>(address);
    const auto found = host_memory.upper_bound(place);
    return found != host_memory.end() && found->second <= place;
}

void require_not_recording(stream s, const char* tried) {
    if (s != nullptr && s->recording != nullptr)
        throw std::logic_error(std::string(tried) + " a stream that is recording");
}

}  // namespace

stream make_stream() {
    return new stream_t;
}
void destroy_stream(stream s) noexcept {
    delete s;
}
void synchronize(stream s) {
    require_not_recording(s, "somebody waits for");
    while (!s->pending.empty()) emulated::do_next(s);
}

event make_event() {
    return new event_t;
}
void destroy_event(event e) noexcept {
    delete e;
}
void record(event e, stream s) {
    require_not_recording(s, "an event is put into");
    e->recorded = std::make_shared<moment>();
    e->recorded->on = s;
    const work comes = [m = e->recorded] {
        m->when = std::chrono::steady_clock::now();
        m->has_come = true;
    };
    if (s->pending.empty())
        comes();
    else
        s->pending.push_back({comes});
}
void wait_for(event e) {
    while (e->recorded != nullptr && !e->recorded->has_come) emulated::do_next(e->recorded->on);
}
void wait_in(stream s, event e) {
    require_not_recording(s, "another stream is waited for in");
    if (e->recorded != nullptr && !e->recorded->has_come)
        s->pending.push_back({[] {}, e->recorded});
}
double seconds_between(event first, event second) {
    wait_for(second);
    return std::chrono::duration<double>(second->recorded->when - first->recorded->when).count();
}

void* allocate_device(int64_t bytes) {
    return simt::allocate(bytes);
}
void release_device(void* memory) noexcept {
    simt::release(memory);
}

void copy_bytes(void* to, const void* from, int64_t bytes, stream s) {
    if (s != nullptr && s->recording != nullptr)
        for (const void* side : {static_cast<const void*>(to), from})
            if (!simt::is_device(side) && !is_pinned(side))
                throw std::logic_error("a copy with host memory that is not pinned is recorded");
    const work copies = [=] {
        simt::access device;
        std::memmove(to, from, size_t(bytes));
        device.check();
    };
    const bool to_host = is_pinned(to), from_host = is_pinned(from);
    if (s == nullptr || s->recording != nullptr || !(to_host || from_host))
        return emulated::take(s, copies);
    s->pending.push_back({copies});
    // twice late, twice early: both for each of two places
    if (from_host && s->copied_to_device++ % 4 >= 2) emulated::do_what_can_be_done(s);
}
void clear_bytes(void* to, int64_t bytes, stream s) {
    emulated::take(s, [=] {
        simt::access device;
        std::memset(to, 0, size_t(bytes));
        device.check();
    });
}

void* allocate_host(int64_t bytes) {
    char* memory = static_cast<char*>(::operator new(size_t(bytes), std::align_val_t(64)));
    const std::lock_guard lock(host_gate);
    host_memory[memory + bytes] = memory;
    return memory;
}
void release_host(void* memory) noexcept {
    {
        const std::lock_guard lock(host_gate);
        std::erase_if(host_memory, [&](const auto& range) { return range.second == memory; });
    }
    ::operator delete(memory, std::align_val_t(64));
}

void begin_recording(stream s) {
    require_not_recording(s, "a recording is begun on");
    s->recording = std::make_shared<std::vector<work>>();
}
graph end_recording(stream s) {
    return new graph_t{std::exchange(s->recording, nullptr)};
}
void cancel_recording(stream s) noexcept {
    s->recording = nullptr;
}
void start(graph g, stream s) {
    s->pending.push_back({[steps = g->recorded] {
        for (const work& step : *steps) step();
    }});
}
void destroy_graph(graph g) noexcept {
    delete g;
}

}  // namespace mim::cuda
