#include "core/error.h"

namespace mim {

namespace {
thread_local std::string last_error;
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
