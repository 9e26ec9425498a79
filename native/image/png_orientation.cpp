#include "image/png_orientation.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "image/orientation.h"

namespace mim::image {

namespace {

// A text chunk: a keyword and what it stands for.
struct text {
    std::string_view keyword;
    encoded value;
    bool compressed;
};

// Cuts a part that ends with a zero byte off the front.
encoded cut_string(encoded& rest) {
    const auto end = std::find(rest.begin(), rest.end(), uint8_t(0));
    const encoded part(rest.begin(), end);
    rest = end == rest.end() ? encoded() : encoded(end + 1, rest.end());
    return part;
}

// tEXt: keyword, text. zTXt: keyword, method (1 byte), text. iTXt: keyword, whether it is compressed
// (1), method (1), language, keyword in that language, text.
text read_text(encoded data, std::string_view type) {
    text result{};
    const encoded keyword = cut_string(data);
    result.keyword = {reinterpret_cast<const char*>(keyword.data()), keyword.size()};
    const size_t numbers = type == "zTXt" ? 1 : type == "iTXt" ? 2 : 0;
    if (data.size() < numbers) return {};
    result.compressed = type == "zTXt" || (type == "iTXt" && data[0] != 0);
    data = data.subspan(numbers);
    if (type == "iTXt") cut_string(data), cut_string(data);
    result.value = data;
    return result;
}

// At most the first MiB, Pillow's limit: a text of a few KB may claim to be gigabytes. What comes
// out before an error counts.
std::vector<uint8_t> contents(const text& text) {
    if (!text.compressed) return {text.value.begin(), text.value.end()};
    std::vector<uint8_t> result(size_t(1) << 20);
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
    stream.next_in = const_cast<Bytef*>(text.value.data());
    stream.avail_in = uInt(text.value.size());  // below 2^32, as every chunk
    stream.next_out = result.data();
    stream.avail_out = uInt(result.size());
    inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    result.resize(result.size() - stream.avail_out);
    return result;
}

// A profile in ImageMagick's form: an empty line, a line with its name, one with its length, then
// lines of hexadecimal digits.
std::vector<uint8_t> raw_profile(const text& text) {
    const std::vector<uint8_t> written = contents(text);
    auto at = written.begin();
    for (int line = 0; line < 3 && at != written.end(); ++line) {
        at = std::find(at, written.end(), uint8_t('\n'));
        if (at != written.end()) ++at;
    }
    std::vector<uint8_t> profile;
    int digits = 0, value = 0;
    for (; at != written.end(); ++at) {
        const int lower = *at | 0x20;
        int digit;
        if (*at >= '0' && *at <= '9')
            digit = *at - '0';
        else if (lower >= 'a' && lower <= 'f')
            digit = lower - 'a' + 10;
        else
            continue;  // the end of a line
        value = value << 4 | digit;
        if (++digits % 2 == 0) profile.push_back(uint8_t(value));
    }
    return profile;
}

// The last of each kind, as in Pillow; empty where there is none.
struct metadata {
    encoded exif;
    text raw_exif{}, raw_app1{}, xmp{}, raw_xmp{};

    void take(const text& text) {
        if (text.keyword == "Raw profile type exif") raw_exif = text;
        if (text.keyword == "Raw profile type APP1") raw_app1 = text;
        if (text.keyword == "XML:com.adobe.xmp") xmp = text;
        if (text.keyword == "Raw profile type xmp") raw_xmp = text;
    }
};

metadata metadata_of(encoded bytes) {
    metadata found;
    // a chunk is the length of its data, its type, its data and a checksum
    for (size_t at = 8; at < bytes.size() && bytes.size() - at >= 8;) {  // past the signature
        const uint8_t* p = bytes.data() + at;
        const size_t length = size_t(p[0]) << 24 | size_t(p[1]) << 16 | size_t(p[2]) << 8 | p[3];
        const std::string_view type(reinterpret_cast<const char*>(p + 4), 4);
        const encoded data = bytes.subspan(at + 8, std::min(length, bytes.size() - at - 8));
        if (type == "IEND") break;
        if (type == "eXIf") found.exif = data;
        if (type == "tEXt" || type == "zTXt" || type == "iTXt") found.take(read_text(data, type));
        at += 12 + length;
    }
    return found;
}

}  // namespace

int32_t png_orientation(encoded bytes) {
    const metadata found = metadata_of(bytes);
    // an APP1 profile, a segment of a JPEG, is EXIF or XMP
    std::vector<uint8_t> exif(found.exif.begin(), found.exif.end());
    if (exif.empty()) exif = raw_profile(found.raw_exif);
    const std::vector<uint8_t> app1 = raw_profile(found.raw_app1);
    if (exif.empty()) exif = app1;
    std::vector<uint8_t> xmp = contents(found.xmp);
    if (xmp.empty()) xmp = raw_profile(found.raw_xmp);
    if (xmp.empty()) xmp = app1;
    return stated_orientation(exif, xmp);
}

}  // namespace mim::image
