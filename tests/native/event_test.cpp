// Events: moments of a context's work, on every device.
#include "mim/event.h"

#include <thread>

#include "op_test.h"

using mim::test::harness;

namespace {

struct owned_event {
    explicit owned_event(harness& t) { t.ok(mim_event_create(t.ctx(), &event)); }
    ~owned_event() { mim_event_destroy(event); }
    owned_event(const owned_event&) = delete;
    owned_event& operator=(const owned_event&) = delete;
    operator mim_event*() const { return event; }
    mim_event* event = nullptr;
};

OP_TEST(event) {
    const owned_event first(t), second(t);
    tensor x = t.random_f32({1 << 16}), y = t.filled_f32({1 << 16}, 0);
    const mim_view *from = x.view(), *to = y.view();
    double milliseconds = -1, none = -1;
    t.ok(mim_event_record(first));
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    t.ok(mim_copy(t.ctx(), to, from));
    t.ok(mim_event_record(second));
    t.ok(mim_event_synchronize(second));
    t.ok(mim_event_milliseconds(first, second, &milliseconds));
    EXPECT_GE(milliseconds, 2.9);
    EXPECT_LT(milliseconds, 60e3);
    t.ok(mim_event_milliseconds(first, first, &none));
    EXPECT_EQ(0, none);
    // recorded again, it is a later moment
    t.ok(mim_event_record(first));
    t.ok(mim_event_milliseconds(second, first, &none));
    EXPECT_GE(none, 0);
}
OP_CASES(event, {});

OP_TEST(event_errors) {
    const owned_event first(t), second(t);
    const mim_status bad = MIM_ERROR_INVALID_ARGUMENT;
    double milliseconds = 0;
    mim_event* none = nullptr;
    t.fails(mim_event_create(nullptr, &none), bad, {"mim_event_create", "ctx is null"});
    t.fails(mim_event_record(nullptr), bad, {"mim_event_record", "event is null"});
    t.fails(mim_event_synchronize(first), bad, {"event was never recorded"});
    t.ok(mim_event_record(first));
    t.fails(mim_event_milliseconds(first, second, &milliseconds), bad,
            {"mim_event_milliseconds", "second was never recorded"});
    t.fails(mim_event_milliseconds(second, first, &milliseconds), bad,
            {"first was never recorded"});
    harness other(t.device(), MIM_F32, 1);
    const owned_event elsewhere(other);
    t.ok(mim_event_record(elsewhere));
    t.fails(mim_event_milliseconds(first, elsewhere, &milliseconds), bad,
            {"first and second are of different contexts"});
}
OP_CASES(event_errors, {});

// Buffers and scratch are counted while they are held, and their sum's peak is kept.
OP_TEST(memory_is_counted) {
    const mim_context_params params = {sizeof params, t.device(), 0, 1};
    mim_context* ctx = nullptr;
    t.ok(mim_context_create(&ctx, &params));
    const auto info = [&] {
        mim_context_info now = {sizeof now};
        t.ok(mim_context_get_info(ctx, &now));
        return now;
    };
    EXPECT_EQ(0, info().memory_bytes);
    mim_buffer *one = nullptr, *other = nullptr;
    t.ok(mim_buffer_create(ctx, &one, 1000));
    t.ok(mim_buffer_create(ctx, &other, 5000));
    EXPECT_EQ(6000, info().memory_bytes);
    mim_buffer_destroy(other);
    t.ok(mim_context_reserve_scratch(ctx, 640));
    EXPECT_EQ(1640, info().memory_bytes);
    EXPECT_EQ(6000, info().memory_peak);
    mim_buffer_destroy(one);
    EXPECT_EQ(640, info().memory_bytes);
    mim_context_destroy(ctx);
}
OP_CASES(memory_is_counted, {});

}  // namespace
