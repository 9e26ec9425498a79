// Which defects of a JPEG are damage: those by which pixels are wrong or missing. libjpeg warns and
// goes on with a guess; a guess must not be trained on, but a defect beside the pixels is none.
#pragma once

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // needs the two before it

namespace mim::image {

// Whether the warning that libjpeg has just raised (info.err->msg_code) is about pixels.
bool is_damage(const jpeg_decompress_struct& info);

// For files of several scans, after a scan or at their end.
// No further scan could add anything.
bool is_complete(const jpeg_decompress_struct& info);
// Every scan came that the format or an earlier scan promised, so the end marker is where it should
// be. A progressive file may leave out high frequencies altogether.
bool may_end(const jpeg_decompress_struct& info);

}  // namespace mim::image
