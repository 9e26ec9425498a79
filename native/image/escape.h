// The way out of an error in libjpeg or libpng, which report by a call that must not return: the
// error callback stores the library's sentence and jumps back into attempt(), which throws.
#pragma once

#include <csetjmp>
#include <cstdio>
#include <string>

#include "core/error.h"

namespace mim::image {

struct escape {
    std::jmp_buf target;
    char message[256];
    bool out_of_memory = false;

    [[noreturn]] void leave(const char* text) {
        std::snprintf(message, sizeof message, "%s", text);
        std::longjmp(target, 1);
    }

    // Ends the step as if it had run to its end: for an error behind everything that was wanted.
    [[noreturn]] void stop() { std::longjmp(target, 2); }
};

// The jump skips destructors, so a step holds plain values only: whatever must be freed lives in
// the caller.
template <class Step>
void attempt(escape& way_out, const char* format, const Step& step) {
    switch (setjmp(way_out.target)) {
        case 0:
            step();
            return;
        case 2:  // escape::stop
            return;
        default:
            break;
    }
    if (way_out.out_of_memory) throw std::bad_alloc();
    fail_corrupt("bytes is a " + std::string(format) +
                 " file that cannot be decoded: " + way_out.message);
}

}  // namespace mim::image
