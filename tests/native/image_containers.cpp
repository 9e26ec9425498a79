#include "image_containers.h"

#include <zlib.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace image_test {

namespace {

byte_vector big_endian_32(size_t value) {
    return {uint8_t(value >> 24), uint8_t(value >> 16), uint8_t(value >> 8), uint8_t(value)};
}

byte_vector little_endian_32(size_t value) {
    return {uint8_t(value), uint8_t(value >> 8), uint8_t(value >> 16), uint8_t(value >> 24)};
}

std::string hexadecimal(int byte) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", unsigned(byte) & 0xff);
    return text;
}

}  // namespace

byte_vector bytes_of(std::string_view text) {
    return {text.begin(), text.end()};
}

byte_vector operator+(byte_vector a, const byte_vector& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

byte_vector first(const byte_vector& bytes, size_t count) {
    return {bytes.begin(), bytes.begin() + int64_t(count)};
}

byte_vector inserted(byte_vector file, size_t at, const byte_vector& part) {
    file.insert(file.begin() + int64_t(at), part.begin(), part.end());
    return file;
}

byte_vector without(byte_vector file, size_t begin, size_t end) {
    file.erase(file.begin() + int64_t(begin), file.begin() + int64_t(end));
    return file;
}

byte_vector case_file(const std::string& name) {
    std::ifstream file(MIM_TEST_CASES "/" + name, std::ios::binary);
    EXPECT_TRUE(file.is_open()) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

raster case_picture(const std::string& name) {
    std::ifstream file(MIM_TEST_CASES "/" + name, std::ios::binary);
    std::string magic;
    int width = 0, height = 0, largest = 0;
    file >> magic >> width >> height >> largest;
    EXPECT_TRUE(file && magic == "P6" && largest == 255) << name;
    file.get();  // the blank before the pixels
    raster picture = black(height, width);
    file.read(reinterpret_cast<char*>(picture.rgb.data()), std::streamsize(picture.rgb.size()));
    EXPECT_TRUE(file) << name;
    return picture;
}

std::vector<part> jpeg_parts(const byte_vector& file) {
    std::vector<part> parts = {{"d8", 0, 2}};
    for (size_t at = 2; at + 1 < file.size();) {
        size_t end = at + 2;
        if (file[at] != 0xff) {  // codes: up to a marker that is neither a stuffed 0 nor a restart
            end = at;
            while (end + 1 < file.size() &&
                   (file[end] != 0xff || file[end + 1] == 0 || (file[end + 1] & 0xf8) == 0xd0))
                ++end;
            parts.push_back({"data", at, end});
        } else {
            if (file[at + 1] != 0xd9) end += size_t(file[at + 2]) << 8 | file[at + 3];
            parts.push_back({hexadecimal(file[at + 1]), at, end});
        }
        at = end;
    }
    return parts;
}

std::vector<part> png_parts(const byte_vector& file) {
    std::vector<part> parts;
    for (size_t at = 8; at < file.size();) {
        const uint8_t* p = file.data() + at;
        const size_t end =
            at + 12 + (size_t(p[0]) << 24 | size_t(p[1]) << 16 | size_t(p[2]) << 8 | p[3]);
        parts.push_back({std::string(p + 4, p + 8), at, end});
        at = end;
    }
    return parts;
}

std::vector<part> webp_parts(const byte_vector& file) {
    std::vector<part> parts;
    for (size_t at = 12; at < file.size();) {
        const uint8_t* p = file.data() + at;
        const size_t length = p[4] | size_t(p[5]) << 8 | size_t(p[6]) << 16;
        parts.push_back({std::string(p, p + 4), at, at + 8 + length});
        at += 8 + length + length % 2;
    }
    return parts;
}

part first_part(const std::vector<part>& parts, std::string_view name) {
    for (const part& candidate : parts)
        if (candidate.name == name) return candidate;
    ADD_FAILURE() << "no part " << name;
    return {};
}

part last_part(const std::vector<part>& parts, std::string_view name) {
    return first_part({parts.rbegin(), parts.rend()}, name);
}

byte_vector jpeg_segment(int marker, const byte_vector& data) {
    const size_t length = data.size() + 2;
    return byte_vector{0xff, uint8_t(marker), uint8_t(length >> 8), uint8_t(length)} + data;
}

byte_vector jpeg_with(const byte_vector& file, const byte_vector& segment) {
    return inserted(file, 2, segment);
}

byte_vector png_chunk(std::string_view type, const byte_vector& data) {
    const byte_vector body = bytes_of(type) + data;
    return big_endian_32(data.size()) + body +
           big_endian_32(crc32(0, body.data(), uInt(body.size())));
}

byte_vector png_with(const byte_vector& file, const byte_vector& chunk, bool after_pixels) {
    return inserted(file, first_part(png_parts(file), after_pixels ? "IEND" : "IDAT").begin, chunk);
}

byte_vector deflated(const byte_vector& data) {
    byte_vector result(compressBound(uLong(data.size())));
    uLongf size = uLongf(result.size());
    EXPECT_EQ(compress(result.data(), &size, data.data(), uLong(data.size())), Z_OK);
    result.resize(size);
    return result;
}

byte_vector raw_profile(std::string_view name, const byte_vector& profile) {
    char length[16];
    std::snprintf(length, sizeof length, "%8zu", profile.size());
    std::string text = "\n";
    text.append(name).append("\n").append(length);
    for (size_t i = 0; i < profile.size(); ++i)
        text.append(i % 36 == 0 ? "\n" : "").append(hexadecimal(profile[i]));
    return bytes_of(text.append("\n"));
}

byte_vector webp_chunk(std::string_view name, const byte_vector& data) {
    byte_vector chunk = bytes_of(name) + little_endian_32(data.size()) + data;
    if (data.size() % 2) chunk.push_back(0);
    return chunk;
}

byte_vector webp_sized(byte_vector file, size_t size) {
    const byte_vector stated = little_endian_32(size - 8);
    std::copy(stated.begin(), stated.end(), file.begin() + 4);
    return file;
}

byte_vector webp_with(const byte_vector& file, const byte_vector& chunk) {
    return webp_sized(file + chunk, file.size() + chunk.size());
}

byte_vector xmp(std::string_view property) {
    return bytes_of(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description xmlns:tiff="
        "\"http://ns.adobe.com/tiff/1.0/\" " +
        std::string(property) + "</rdf:Description></rdf:RDF></x:xmpmeta>");
}

}  // namespace image_test
