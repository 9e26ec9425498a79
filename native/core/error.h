// Errors inside the library: one exception type, and the guard that turns it into a status and a
// sentence at the ABI.
#pragma once

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>

#include "mim/base.h"

namespace mim {

class error : public std::runtime_error {
public:
    error(mim_status status, const std::string& message)
        : std::runtime_error(message), status(status) {}
    const mim_status status;
};

[[noreturn]] void fail_argument(const std::string& message);     // MIM_ERROR_INVALID_ARGUMENT
[[noreturn]] void fail_unsupported(const std::string& message);  // MIM_ERROR_UNSUPPORTED
[[noreturn]] void fail_corrupt(const std::string& message);      // MIM_ERROR_CORRUPT_DATA

// Stores this thread's error text: "function: message".
void set_last_error(const char* function, const char* message) noexcept;

// Runs a body behind the ABI: whatever it throws becomes a status and this thread's error text.
template <class Body>
mim_status guarded(const char* function, Body&& body) noexcept {
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
