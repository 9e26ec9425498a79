// The dispatch from a mim_loss_kind at run time to a template of it, for every backend.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "core/error.h"
#include "mim/losses.h"

namespace mim {

// Calls body with the kind as a constant. A kind that is forgotten here is a warning of the compiler, and an error at run time: none
// is computed as another.
template <class Body>
void dispatch_loss_kind(int32_t kind, Body&& body) {
    switch (mim_loss_kind(kind)) {
        case MIM_LOSS_L2:
            return body(std::integral_constant<int32_t, MIM_LOSS_L2>{});
        case MIM_LOSS_L1:
            return body(std::integral_constant<int32_t, MIM_LOSS_L1>{});
        case MIM_LOSS_SMOOTH_L1:
            return body(std::integral_constant<int32_t, MIM_LOSS_SMOOTH_L1>{});
    }
    fail_unsupported("loss kind " + std::to_string(kind) + " has no kernel");
}

}  // namespace mim
