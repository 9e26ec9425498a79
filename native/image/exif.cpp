#include "image/exif.h"

#include <cstring>

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

}  // namespace

int32_t exif_orientation(std::span<const uint8_t> block) {
    constexpr char prefix[6] = {'E', 'x', 'i', 'f', 0, 0};
    if (block.size() >= 6 && std::memcmp(block.data(), prefix, 6) == 0) block = block.subspan(6);
    if (block.size() < 8) return 1;
    const bool known =
        std::memcmp(block.data(), "II*\0", 4) == 0 || std::memcmp(block.data(), "MM\0*", 4) == 0;
    if (!known) return 1;
    const tiff_block tiff(block);
    const uint64_t directory = tiff.number(4, 4);
    if (!tiff.has(directory, 2)) return 1;
    const uint32_t entries = tiff.number(directory, 2);
    for (uint32_t i = 0; i < entries; ++i) {
        // an entry: tag (2), type (2), count (4), value (4, in its first bytes where the type is
        // shorter)
        const uint64_t entry = directory + 2 + 12 * uint64_t(i);
        if (!tiff.has(entry, 12)) return 1;
        constexpr uint32_t orientation_tag = 0x0112, type_short = 3, type_long = 4;
        if (tiff.number(entry, 2) != orientation_tag) continue;
        const uint32_t type = tiff.number(entry + 2, 2);
        if (type != type_short && type != type_long) return 1;
        const uint32_t value = tiff.number(entry + 8, type == type_short ? 2 : 4);
        return value >= 1 && value <= 8 ? int32_t(value) : 1;
    }
    return 1;
}

picture upright(picture stored, int32_t orientation) {
    if (orientation == 1) return stored;
    const int64_t h = stored->height, w = stored->width;
    // EXIF says on which side the first stored row and the first stored column are seen. So the
    // pixel seen at (0, 0) is stored at (row, col); a step down goes `down` pixels on in storage, a
    // step to the right `right` pixels.
    struct walk {
        int64_t row, col, down, right;
    };
    const walk walks[9] = {
        {},                      // no such orientation
        {0, 0, w, 1},            // 1: row 0 at the top, column 0 on the left
        {0, w - 1, w, -1},       // 2: top, right
        {h - 1, w - 1, -w, -1},  // 3: bottom, right
        {h - 1, 0, -w, 1},       // 4: bottom, left
        {0, 0, 1, w},            // 5: left, top
        {h - 1, 0, 1, -w},       // 6: right, top
        {h - 1, w - 1, -1, -w},  // 7: right, bottom
        {0, w - 1, -1, w},       // 8: left, bottom
    };
    const walk& from = walks[orientation];
    picture seen = swaps_sides(orientation) ? new_picture(w, h) : new_picture(h, w);
    for (int64_t y = 0; y < seen->height; ++y) {
        const uint8_t* in = stored->row(from.row) + (from.col + y * from.down) * 3;
        uint8_t* out = seen->row(y);
        for (int64_t x = 0; x < seen->width; ++x)
            std::memcpy(out + x * 3, in + x * from.right * 3, 3);
    }
    return seen;
}

}  // namespace mim::image
