// Which format a file has, by its first bytes: names of files are often wrong.
#pragma once

#include <string>

#include "image/decode.h"

namespace mim::image {

mim_image_format format_of(encoded bytes);

// Throws MIM_ERROR_CORRUPT_DATA with what the file is, where that is known, or how it begins.
[[noreturn]] void fail_unknown_format(encoded bytes);

// What a text is, in words ("an HTML page"); empty where the bytes are no text.
std::string kind_of_text(encoded bytes);

}  // namespace mim::image
