// What the rest of the backend asks of the matrix library.
#pragma once

#include <string>

namespace mim::cpu {

std::string matrix_library();  // "oneDNN 2.6.3"

}  // namespace mim::cpu
