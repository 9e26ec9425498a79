#include "image/jpeg_damage.h"

#include <algorithm>
#include <span>

#include <jerror.h>

namespace mim::image {

namespace {

std::span<const jpeg_component_info> components(const jpeg_decompress_struct& info) {
    return {info.comp_info, size_t(info.num_components)};
}

// libjpeg keeps a component's table of quantisation when its first scan begins.
bool was_scanned(const jpeg_component_info& component) {
    return component.quant_table != nullptr;
}

// Of a progressive file, for each frequency from the lowest on: how many of the low bits are still
// to come, -1 where nothing came yet.
std::span<const int> missing_bits(const jpeg_decompress_struct& info,
                                  const jpeg_component_info& component) {
    return info.coef_bits[component.component_index];
}

}  // namespace

bool is_damage(const jpeg_decompress_struct& info) {
    switch (info.err->msg_code) {
        case JWRN_HUFF_BAD_CODE:   // bits that are no code,
        case JWRN_ARITH_BAD_CODE:  // and everything behind them is shifted
        case JWRN_HIT_MARKER:      // a marker, or the file's end, where pixels were still to come
        case JWRN_MUST_RESYNC:     // a whole piece between two restart markers is not there
            return true;
        case JWRN_BOGUS_PROGRESSION:
            // A scan that refines bits which never came. That a component's high frequencies come
            // before its mean (coefficient 0) is only unusual; may_end notices a mean that is missing.
            return info.Ss == 0 || info.err->msg_parm.i[1] != 0;
        case JWRN_JPEG_EOF:
            // The file ends before its end marker. What that costs is told by JWRN_HIT_MARKER and
            // by the scans that are missing. Arithmetic codes alone have no such sign: they may stop
            // early by design, zeros at their end being left out.
            return info.arith_code;
        default:
            // Remarks about headers and about bytes that belong to nothing: JWRN_EXTRANEOUS_DATA
            // (stray bytes before a marker; the codes before and after them are sound),
            // JWRN_NOT_SEQUENTIAL (a scan's header with limits that sequential files do not use),
            // JWRN_JFIF_MAJOR (a version), JWRN_ADOBE_XFORM (a colour code), JWRN_BOGUS_ICC.
            return false;
    }
}

bool is_complete(const jpeg_decompress_struct& info) {
    return std::ranges::all_of(components(info), [&](const jpeg_component_info& component) {
        return was_scanned(component) &&
               (!info.progressive_mode || std::ranges::all_of(missing_bits(info, component),
                                                              [](int bits) { return bits == 0; }));
    });
}

bool may_end(const jpeg_decompress_struct& info) {
    return std::ranges::all_of(components(info), [&](const jpeg_component_info& component) {
        if (!was_scanned(component)) return false;
        if (!info.progressive_mode) return true;
        const std::span<const int> bits = missing_bits(info, component);
        return bits[0] == 0 && std::ranges::none_of(bits, [](int bits) { return bits > 0; });
    });
}

}  // namespace mim::image
