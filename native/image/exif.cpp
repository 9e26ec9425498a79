// The orientation in EXIF data.
#include <cstring>

#include "image/orientation.h"

namespace mim::image {

namespace {

// Whole numbers of a TIFF block, in the byte order that it states.
class tiff_block {
public:
    explicit tiff_block(std::span<const uint8_t> bytes)
        : bytes_(bytes), big_endian_(bytes[0] == 'M') {}
    bool has(uint64_t offset, uint64_t count) const { return offset + count <= bytes_.size(); }
    uint32_t number(uint64_t offset, int count) const {
        uint32_t value = 0;
        for (int i = 0; i < count; ++i)
            value = value << 8 | bytes_[size_t(offset) + size_t(big_endian_ ? i : count - 1 - i)];
        return value;
    }

private:
    std::span<const uint8_t> bytes_;
    bool big_endian_;
};

// Bytes of a value of a TIFF type, 0 where there is no such type.
int size_of(uint32_t type) {
    constexpr int sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
    return type < std::size(sizes) ? sizes[type] : 0;
}

// Unsigned bytes are none: as in Pillow, they are data of any kind.
bool is_whole_number(uint32_t type) {
    constexpr uint32_t unsigned_short = 3, unsigned_long = 4, signed_byte = 6, signed_short = 8,
                       signed_long = 9;
    return type == unsigned_short || type == unsigned_long || type == signed_byte ||
           type == signed_short || type == signed_long;
}

bool begins_with_tiff(std::span<const uint8_t> block) {
    if (block.size() < 8) return false;
    const uint8_t *order = block.data(), *version = block.data() + 2;
    const bool known = std::memcmp(order, "II", 2) == 0 || std::memcmp(order, "MM", 2) == 0;
    // 42, which some programs write in the other byte order
    return known && (std::memcmp(version, "*\0", 2) == 0 || std::memcmp(version, "\0*", 2) == 0);
}

}  // namespace

std::optional<int32_t> exif_orientation(std::span<const uint8_t> block) {
    constexpr char prefix[6] = {'E', 'x', 'i', 'f', 0, 0};
    while (block.size() >= 6 && std::memcmp(block.data(), prefix, 6) == 0)
        block = block.subspan(6);  // some programs write it twice
    if (!begins_with_tiff(block)) return std::nullopt;
    const tiff_block tiff(block);
    const uint64_t directory = tiff.number(4, 4);
    if (!tiff.has(directory, 2)) return std::nullopt;
    const uint32_t entries = tiff.number(directory, 2);
    std::optional<int32_t> orientation;
    for (uint32_t i = 0; i < entries; ++i) {
        // an entry: tag (2), type (2), count (4), then the values where they fit into 4 bytes, else
        // where they lie (4)
        const uint64_t entry = directory + 2 + 12 * uint64_t(i);
        if (!tiff.has(entry, 12)) break;
        constexpr uint32_t orientation_tag = 0x0112;
        if (tiff.number(entry, 2) != orientation_tag) continue;
        const uint32_t type = tiff.number(entry + 2, 2);
        const uint64_t size = uint64_t(size_of(type)) * tiff.number(entry + 4, 4);
        const uint64_t at = size > 4 ? tiff.number(entry + 8, 4) : entry + 8;
        if (size == 0 || !tiff.has(at, size)) continue;  // an entry without a value
        const uint32_t value = is_whole_number(type) ? tiff.number(at, size_of(type)) : 0;
        orientation = value >= 1 && value <= 8 ? int32_t(value) : 1;  // of several, the last
    }
    return orientation;
}

}  // namespace mim::image
