#include "core/error.h"

#include <chrono>

namespace mim {

namespace {
thread_local std::string last_error;
thread_local int64_t* charged = nullptr;

int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}
}  // namespace

call_clock::call_clock() noexcept : start_(now()) {
    charged = nullptr;
}
call_clock::~call_clock() {
    if (charged != nullptr) *charged += now() - start_;
}
void call_clock::charge(int64_t* nanoseconds) noexcept {
    charged = nanoseconds;
}

void fail_argument(const std::string& message) {
    throw error(MIM_ERROR_INVALID_ARGUMENT, message);
}
void fail_unsupported(const std::string& message) {
    throw error(MIM_ERROR_UNSUPPORTED, message);
}
void fail_corrupt(const std::string& message) {
    throw error(MIM_ERROR_CORRUPT_DATA, message);
}

void set_last_error(const char* function, const char* message) noexcept {
    try {
        last_error = std::string(function) + ": " + message;
    } catch (...) {
        last_error.clear();
    }
}

}  // namespace mim

extern "C" const char* mim_last_error(void) {
    return mim::last_error.c_str();
}
