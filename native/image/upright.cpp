// Turning a picture by its orientation.
#include <cstring>

#include "image/orientation.h"

namespace mim::image {

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
