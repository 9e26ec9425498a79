// A step that repeats, as a graph. The first one of a number is done as it is asked for: libraries load
// their kernels and choose their algorithms then, which a recording cannot hold. From then on work is
// not done between begin and end but gathered: recorded into a graph, and later only compared, byte by
// byte, with what was asked for while it was recorded: every launch with its kernel, shape and
// arguments, every product and transform, every copy with its addresses. Where nothing differs the
// recorded graph is started.
//   Numbers that a step copies from the host are new every time: they go through pinned memory at
// places that stay the same. So that host code may prepare the next step while the device works on this
// one there are two graphs with their own pinned memory, used in turn; it waits for the one before last.
#pragma once

#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "cuda/runtime.h"

namespace mim::cuda {

class step_graph {
public:
    explicit step_graph(stream s) : stream_(s) {}
    ~step_graph();
    step_graph(const step_graph&) = delete;
    step_graph& operator=(const step_graph&) = delete;

    void begin(int32_t number);
    // True when the step was started. False when it is not the recorded one: then nothing was done,
    // and the same calls have to be made once more between another begin and end.
    bool end();
    // Ends it without starting anything.
    void cancel() noexcept;

    bool is_open() const { return open_ != nullptr; }
    // Steps that were started as they had been recorded before.
    int64_t replayed() const { return replayed_; }

    // Notes what is asked for. Whether the stream is to be given it: not while it is only compared.
    template <class... V>
    bool takes(const V&... what) {
        if (now_ != mode::direct) (note_value(what), ...);
        return now_ != mode::comparing;
    }

    // Host memory that a copy may read when the graph runs, with these bytes in it. Outside of a
    // gathered step the bytes themselves.
    const void* staged(const void* bytes, int64_t count);

    // Releases device memory when nothing that was asked for can use it any more. Any thread may.
    void release(void* memory) noexcept;

private:
    enum class mode { direct, recording, comparing };

    // Pinned memory is given out front to back, the same in every step.
    struct chunk {
        char* memory;
        int64_t bytes;
    };
    struct slot {
        graph recorded = nullptr;
        std::vector<char> asked;  // what the graph does, as it was noted
        event finished = nullptr;
        bool is_started = false;
        std::vector<chunk> chunks;
        size_t now = 0;  // the chunk that gives
        int64_t used = 0;
    };
    struct repeated_step {
        slot slots[2];
        int turn = 0;
        bool is_warm = false;
    };
    // Whatever happens at a step's end, it is left.
    struct leaving {
        step_graph& of;
        ~leaving() { of.leave(); }
    };

    template <class V>
    void note_value(V value) {
#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
        __builtin_clear_padding(&value);  // or a step could differ in bytes that are nobody's
#endif
#endif
        note(&value, sizeof value);
    }
    void note(const void* bytes, size_t count);
    void start(slot& s);
    void leave() noexcept;
    static void forget(repeated_step& step) noexcept;
    slot& current() {
        return open_->slots[open_->turn];
    }

    stream stream_;
    std::map<int32_t, repeated_step> steps_;
    repeated_step* open_ = nullptr;  // between begin and end
    mode now_ = mode::direct;
    bool is_same_ = true;  // so far, while comparing
    size_t compared_ = 0;  // bytes
    int64_t replayed_ = 0;
    std::mutex gate_;              // for now_ and what is below, which any thread may ask for
    std::vector<void*> released_;  // while a step was gathered
};

}  // namespace mim::cuda
