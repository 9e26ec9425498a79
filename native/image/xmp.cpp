// The orientation in XMP data. A packet is XML; as Pillow does, the property is searched for as
// text, which also finds it in a packet that is cut or otherwise no sound XML.
#include <string_view>

#include "image/orientation.h"

namespace mim::image {

namespace {

std::string_view without_blanks(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    return first == text.npos ? std::string_view() : text.substr(first);
}

// What follows the property's name up to its value: >, or = and a quotation mark.
std::optional<std::string_view> value_behind(std::string_view text) {
    text = without_blanks(text);
    if (text.starts_with('>')) return without_blanks(text.substr(1));
    if (!text.starts_with('=')) return std::nullopt;
    text = without_blanks(text.substr(1));
    if (!text.starts_with('"') && !text.starts_with('\'')) return std::nullopt;
    return without_blanks(text.substr(1));
}

}  // namespace

std::optional<int32_t> xmp_orientation(std::span<const uint8_t> packet) {
    constexpr std::string_view property = "tiff:Orientation";
    std::string_view text(reinterpret_cast<const char*>(packet.data()), packet.size());
    for (size_t at; (at = text.find(property)) != text.npos;) {
        text.remove_prefix(at + property.size());
        const std::optional<std::string_view> value = value_behind(text);
        if (!value || value->empty() || value->front() < '0' || value->front() > '9') continue;
        const int32_t orientation = value->front() - '0';
        return orientation >= 1 && orientation <= 8 ? orientation : 1;
    }
    return std::nullopt;
}

}  // namespace mim::image
