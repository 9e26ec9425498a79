// Events (event.h).
#include "mim/event.h"

#include "core/context.h"

using namespace mim;

struct mim_event {
    std::shared_ptr<backend> device;  // outlives its context as long as an event asks it
    std::unique_ptr<backend::event> moment;
    bool recorded = false;
};

namespace {

void require_recorded(const mim_event* event, const char* name) {
    if (!event->recorded) fail_argument(std::string(name) + " was never recorded");
}

}  // namespace

mim_status mim_event_create(mim_context* ctx, mim_event** event) {
    return guarded("mim_event_create", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(event)});
        *event = nullptr;
        auto moment = ctx->device()->make_event();
        *event = new mim_event{ctx->device(), std::move(moment)};
    });
}

void mim_event_destroy(mim_event* event) {
    delete event;
}

mim_status mim_event_record(mim_event* event) {
    return guarded("mim_event_record", [&] {
        require_present({MIM_ARG(event)});
        event->moment->record();
        event->recorded = true;
    });
}

mim_status mim_event_synchronize(mim_event* event) {
    return guarded("mim_event_synchronize", [&] {
        require_present({MIM_ARG(event)});
        require_recorded(event, "event");
        event->moment->synchronize();
    });
}

mim_status mim_event_milliseconds(mim_event* first, mim_event* second, double* milliseconds) {
    return guarded("mim_event_milliseconds", [&] {
        require_present({MIM_ARG(first), MIM_ARG(second), MIM_ARG(milliseconds)});
        *milliseconds = 0;
        require_recorded(first, "first");
        require_recorded(second, "second");
        if (first->device != second->device)
            fail_argument("first and second are of different contexts, expected one context");
        *milliseconds = 1e3 * second->moment->seconds_since(*first->moment);
    });
}
