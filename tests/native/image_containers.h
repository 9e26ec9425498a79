// The parts of which picture files consist, for tests that take one out, damage it, or add one; and
// the small files in tests/cases.
#pragma once

#include <string>
#include <string_view>

#include "image_support.h"

namespace image_test {

byte_vector bytes_of(std::string_view text);
byte_vector operator+(byte_vector a, const byte_vector& b);
byte_vector first(const byte_vector& bytes, size_t count);
byte_vector inserted(byte_vector file, size_t at, const byte_vector& part);
byte_vector without(byte_vector file, size_t begin, size_t end);

// A file of tests/cases, and the picture that NAME.ppm there holds.
byte_vector case_file(const std::string& name);
raster case_picture(const std::string& name);

// A chunk of a PNG or WebP with all that belongs to it, a segment or the codes of a scan of a JPEG.
struct part {
    std::string name;  // of a JPEG the marker in hexadecimal, "data" for codes
    size_t begin, end;
};
std::vector<part> jpeg_parts(const byte_vector& file);
std::vector<part> png_parts(const byte_vector& file);
std::vector<part> webp_parts(const byte_vector& file);
// The first, or the last, of this name.
part first_part(const std::vector<part>& parts, std::string_view name);
part last_part(const std::vector<part>& parts, std::string_view name);

byte_vector jpeg_segment(int marker, const byte_vector& data);
// After the first marker, where metadata stands.
byte_vector jpeg_with(const byte_vector& file, const byte_vector& segment);

byte_vector png_chunk(std::string_view type, const byte_vector& data);
byte_vector png_with(const byte_vector& file, const byte_vector& chunk, bool after_pixels = false);
byte_vector deflated(const byte_vector& data);
// A profile as ImageMagick writes it into a text.
byte_vector raw_profile(std::string_view name, const byte_vector& profile);

byte_vector webp_chunk(std::string_view name, const byte_vector& data);
// The number of bytes that the file states.
byte_vector webp_sized(byte_vector file, size_t size);
byte_vector webp_with(const byte_vector& file, const byte_vector& chunk);

// A packet with this property.
byte_vector xmp(std::string_view property);

}  // namespace image_test
