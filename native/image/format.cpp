#include "image/format.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace mim::image {

namespace {

using namespace std::literals;  // "..."sv holds zero bytes, too

struct signature {
    size_t offset;
    std::string_view bytes;
    const char* name;
};

// Where two fit, the first counts.
constexpr signature others[] = {
    // pictures
    {0, "GIF8"sv, "a GIF"},
    {0, "\x00\x00\x00\x0cJXL \r\n\x87\n"sv, "a JPEG XL picture"},
    {0, "\xff\x0a"sv, "a JPEG XL picture"},
    {0, "\x00\x00\x00\x0cjP  \r\n\x87\n"sv, "a JPEG 2000 picture"},
    {0, "\xff\x4f\xff\x51"sv, "a JPEG 2000 picture"},
    {0, "II\xbc\x01"sv, "a JPEG XR picture"},
    {8, "CR\x02"sv, "a camera's raw file (Canon CR2)"},
    {0, "II\x1a\x00\x00\x00HEAPCCDR"sv, "a camera's raw file (Canon CRW)"},
    {0, "IIRO"sv, "a camera's raw file (Olympus ORF)"},
    {0, "IIRS"sv, "a camera's raw file (Olympus ORF)"},
    {0, "MMOR"sv, "a camera's raw file (Olympus ORF)"},
    {0, "IIU\x00"sv, "a camera's raw file (Panasonic RW2)"},
    {0, "FUJIFILMCCD-RAW"sv, "a camera's raw file (Fujifilm RAF)"},
    {0, "FOVb"sv, "a camera's raw file (Sigma X3F)"},
    {0, "\x00MRM"sv, "a camera's raw file (Minolta MRW)"},
    {0, "II*\x00"sv, "a TIFF, or a camera's raw file"},
    {0, "MM\x00*"sv, "a TIFF, or a camera's raw file"},
    {0, "II+\x00"sv, "a TIFF"},
    {0, "MM\x00+"sv, "a TIFF"},
    {0, "8BPS"sv, "a Photoshop file (PSD)"},
    {0, "gimp xcf"sv, "a GIMP file (XCF)"},
    {0, "\x8aMNG\r\n\x1a\n"sv, "an MNG animation"},
    {0, "\x89PNG"sv, "a PNG whose line ends were changed when it was copied as a text"},
    {0, "\x00\x00\x01\x00"sv, "an icon (ICO)"},
    {0, "\x00\x00\x02\x00"sv, "a cursor (CUR)"},
    {0, "\x76\x2f\x31\x01"sv, "an OpenEXR picture"},
    {0, "#?RADIANCE"sv, "a Radiance HDR picture"},
    {0, "DDS "sv, "a DDS texture"},
    {0, "qoif"sv, "a QOI picture"},
    {0, "BPG\xfb"sv, "a BPG picture"},
    {0, "\xd7\xcd\xc6\x9a"sv, "a Windows metafile (WMF)"},
    {128, "DICM"sv, "a DICOM file"},
    {0, "SIMPLE  ="sv, "a FITS file"},
    {0, "AT&TFORM"sv, "a DjVu document"},
    {0, "%PDF-"sv, "a PDF document"},
    {0, "%!PS"sv, "a PostScript file"},
    // videos and sounds
    {0, "\x1a\x45\xdf\xa3"sv, "a video (WebM or Matroska)"},
    {0, "FLV\x01"sv, "a video (FLV)"},
    {0, "\x00\x00\x01\xba"sv, "a video (MPEG)"},
    {0, "\x00\x00\x01\xb3"sv, "a video (MPEG)"},
    {0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"sv, "a video (WMV)"},
    {4, "moov"sv, "a video (QuickTime)"},
    {4, "mdat"sv, "a video (QuickTime)"},
    {0, "OggS"sv, "a sound or video (Ogg)"},
    {0, "ID3"sv, "a sound (MP3)"},
    {0, "fLaC"sv, "a sound (FLAC)"},
    // archives and data
    {0, "PK\x03\x04"sv, "a zip archive"},
    {0, "PK\x05\x06"sv, "a zip archive"},
    {0, "\x1f\x8b"sv, "a gzip file"},
    {0, "BZh"sv, "a bzip2 file"},
    {0, "\xfd\x37zXZ\x00"sv, "an xz file"},
    {0, "\x28\xb5\x2f\xfd"sv, "a zstd file"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive"},
    {0, "Rar!\x1a\x07"sv, "a RAR archive"},
    {257, "ustar"sv, "a tar archive"},
    {0, "\x89HDF\r\n"sv, "an HDF5 file"},
    {0, "\x93NUMPY"sv, "a NumPy file"},
    {0, "PAR1"sv, "a Parquet file"},
    {0, "SQLite format 3\x00"sv, "an SQLite database"},
    {0, "\x00\x05\x16\x07"sv, "an AppleDouble file, which macOS writes beside the picture itself"},
    {0, "\x00\x05\x16\x00"sv, "an AppleSingle file"},
    {0, "\xef\xbf\xbd\xef\xbf\xbd"sv, "a binary file that was ruined when it was copied as a text"},
};

std::string_view as_text(encoded bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool has(encoded bytes, size_t offset, std::string_view part) {
    return bytes.size() >= offset && as_text(bytes).substr(offset).starts_with(part);
}

std::string quoted(std::string_view code) {
    std::string text = "'";
    for (const char c : code) text += c >= ' ' && c <= '~' ? c : '?';
    return text + "'";
}

// The family of MP4: a box "ftyp" with the brand of the file, a version, and the brands of all
// programs that may read it.
std::string kind_of_brands(encoded bytes) {
    const size_t box =
        size_t(bytes[0]) << 24 | size_t(bytes[1]) << 16 | size_t(bytes[2]) << 8 | size_t(bytes[3]);
    const std::string_view brands = as_text(bytes.first(std::min(box, bytes.size())));
    const auto names = [&](std::initializer_list<std::string_view> codes) {
        for (size_t at = 8; at + 4 <= brands.size(); at += at == 8 ? 8 : 4)
            if (std::ranges::find(codes, brands.substr(at, 4)) != codes.end()) return true;
        return false;
    };
    if (names({"avif", "avis"})) return "an AVIF picture";
    if (names({"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"}))
        return "a HEIC picture (HEIF)";
    if (names({"crx "})) return "a camera's raw file (Canon CR3)";
    if (names({"jxl "})) return "a JPEG XL picture";
    if (names({"jp2 ", "jpx ", "jph "})) return "a JPEG 2000 picture";
    if (names({"qt  "})) return "a video (QuickTime)";
    if (names({"M4A ", "M4B "})) return "a sound (MP4)";
    return "a video (MP4, of the brand " + quoted(brands.substr(8, 4)) + ")";
}

// BM alone is short; the header's reserved zeros and the size of what follows it tell.
bool is_bmp(encoded bytes) {
    return has(bytes, 0, "BM") && has(bytes, 6, "\0\0\0\0"sv) && bytes.size() > 17 &&
           bytes[14] >= 12 && bytes[14] <= 124 && has(bytes, 15, "\0\0\0"sv);
}

// P1 to P7, then a blank.
bool is_portable_anymap(encoded bytes) {
    return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
           (bytes[2] == '\n' || bytes[2] == '\r' || bytes[2] == ' ' || bytes[2] == '\t');
}

// What the file is, in words; empty where nobody knows it.
std::string kind_of(encoded bytes) {
    const auto first = std::ranges::find_if(bytes, [](uint8_t byte) { return byte != 0; });
    if (first == bytes.end())
        return "nothing but zeros (a file that was given its length, but never its content)";
    if (first - bytes.begin() >= 4096)
        return "a file whose first " + std::to_string(first - bytes.begin()) +
               " bytes are zeros, so its beginning was never written";
    if (has(bytes, 4, "ftyp")) return bytes.size() >= 12 ? kind_of_brands(bytes) : "a video (MP4)";
    if (has(bytes, 0, "RIFF")) {
        if (has(bytes, 8, "AVI ")) return "a video (AVI)";
        if (has(bytes, 8, "WAVE")) return "a sound (WAV)";
        if (has(bytes, 8, "ACON")) return "an animated cursor (ANI)";
        if (bytes.size() < 12) return "a RIFF file (WebP is one) that ends in its header";
        return "a RIFF file of the kind " + quoted(as_text(bytes).substr(8, 4)) + ", not WebP";
    }
    if (is_bmp(bytes)) return "a BMP";
    if (is_portable_anymap(bytes)) return "a PPM (PBM, PGM, PAM)";
    for (const signature& other : others)
        if (has(bytes, other.offset, other.bytes)) return other.name;
    return kind_of_text(bytes);
}

}  // namespace

mim_image_format format_of(encoded bytes) {
    if (has(bytes, 0, "\xff\xd8")) return MIM_IMAGE_JPEG;
    if (has(bytes, 0, "\x89PNG\r\n\x1a\n")) return MIM_IMAGE_PNG;
    if (has(bytes, 0, "RIFF") && has(bytes, 8, "WEBP")) return MIM_IMAGE_WEBP;
    return MIM_IMAGE_UNKNOWN;
}

void fail_unknown_format(encoded bytes) {
    if (bytes.empty()) fail_corrupt("bytes is empty, expected a JPEG, PNG or WebP file");
    const std::string kind = kind_of(bytes);
    if (!kind.empty()) fail_corrupt("bytes is " + kind + "; expected a JPEG, PNG or WebP file");
    std::string first;
    for (size_t i = 0; i < std::min<size_t>(bytes.size(), 8); ++i) {
        char text[4];
        std::snprintf(text, sizeof text, " %02x", bytes[i]);
        first += text;
    }
    fail_corrupt("bytes is no JPEG, PNG or WebP file; it begins with" + first);
}

}  // namespace mim::image
