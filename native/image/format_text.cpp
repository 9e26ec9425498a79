// Texts under a picture's name: pointers to pictures, pages of servers, drawings in XML.
#include <algorithm>
#include <string_view>

#include "image/format.h"

namespace mim::image {

namespace {

constexpr size_t looked_at = 1024;  // bytes

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return result;
}

// Without the mark and the blanks that a text may begin with.
std::string_view without_lead(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    return text.substr(std::min(text.find_first_not_of(" \t\r\n\f"), text.size()));
}

// No control characters but those of lines. Letters beyond ASCII count in any encoding, as long as
// ASCII prevails.
bool is_text(std::string_view start) {
    const auto is_control = [](unsigned char c) {
        return (c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7f;
    };
    const auto is_ascii = [](unsigned char c) { return c < 0x80; };
    return !start.empty() && std::ranges::none_of(start, is_control) &&
           size_t(std::ranges::count_if(start, is_ascii)) * 2 > start.size();
}

// The first words, in ASCII, for the reader to recognise.
std::string beginning_of(std::string_view text) {
    constexpr size_t longest = 40;
    text = text.substr(0, text.find_first_of("\r\n"));
    std::string result;
    for (const char c : text.substr(0, longest)) result += c >= ' ' && c <= '~' ? c : '?';
    return "'" + result + (text.size() > longest ? "...'" : "'");
}

}  // namespace

std::string kind_of_text(encoded bytes) {
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (all.starts_with("\xff\xfe") || all.starts_with("\xfe\xff")) return "a text in UTF-16";
    const std::string_view start = all.substr(0, looked_at);
    if (!is_text(start)) return "";
    const std::string_view text = without_lead(start);
    const std::string small = lower(text);
    const auto mentions = [&](const char* word) { return small.find(word) != small.npos; };
    if (text.starts_with("version https://git-lfs") || text.starts_with("version https://hawser"))
        return "a Git LFS pointer, not the picture itself ('git lfs pull' fetches it)";
    if (text.starts_with('<')) {
        if (mentions("<svg")) return "an SVG drawing";
        if (mentions("<html") || mentions("<!doctype html") || mentions("<head") ||
            mentions("<body"))
            return "an HTML page (perhaps a server's error message, saved in the picture's place)";
        return "an XML file (perhaps a server's error message, saved in the picture's place)";
    }
    if (text.starts_with('{') || text.starts_with('['))
        return "a JSON file (perhaps a server's error message, saved in the picture's place)";
    if (text.starts_with("data:image/") || text.starts_with("/9j/") ||
        text.starts_with("iVBORw0KGgo") || text.starts_with("UklGR"))
        return "a picture in base64, which has to be decoded first";
    if (text.empty()) return "a text of blanks only";
    return "a text that begins with " + beginning_of(text);
}

}  // namespace mim::image
