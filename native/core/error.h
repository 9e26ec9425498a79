// Errors inside the library: one exception type, and the guard that turns it into a status and a
// sentence at the ABI.
#pragma once

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>

#include "mim/base.h"

namespace mim {

// Exported, with what throws it, for the CUDA backend.
class MIM_API error : public std::runtime_error {
public:
    error(mim_status status, const std::string& message)
        : std::runtime_error(message), status(status) {}
    const mim_status status;
};

[[noreturn]] MIM_API void fail_argument(const std::string& message);  // MIM_ERROR_INVALID_ARGUMENT
[[noreturn]] MIM_API void fail_unsupported(const std::string& message);  // MIM_ERROR_UNSUPPORTED
[[noreturn]] MIM_API void fail_corrupt(const std::string& message);      // MIM_ERROR_CORRUPT_DATA

// Stores this thread's error text: "function: message".
void set_last_error(const char* function, const char* message) noexcept;

// Measures the call at the ABI that this thread is in. Whoever is charged (a context) gets the
// call's whole time when it ends, its checks included.
class call_clock {
public:
    call_clock() noexcept;
    ~call_clock();
    call_clock(const call_clock&) = delete;
    call_clock& operator=(const call_clock&) = delete;
    static void charge(int64_t* nanoseconds) noexcept;

private:
    int64_t start_;
};

// Runs a body behind the ABI: whatever it throws becomes a status and this thread's error text.
template <class Body>
mim_status guarded(const char* function, Body&& body) noexcept {
    const call_clock clock;
    try {
        body();
        return MIM_OK;
    } catch (const error& e) {
        set_last_error(function, e.what());
        return e.status;
    } catch (const std::bad_alloc&) {
        set_last_error(function, "out of memory");
        return MIM_ERROR_OUT_OF_MEMORY;
    } catch (const std::exception& e) {
        set_last_error(function, e.what());
        return MIM_ERROR_INTERNAL;
    } catch (...) {
        set_last_error(function, "an unknown exception");
        return MIM_ERROR_INTERNAL;
    }
}

}  // namespace mim
