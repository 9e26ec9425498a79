// What is no JPEG, PNG or WebP is named in words.
#include "image_containers.h"

using namespace image_test;
using namespace std::literals;

namespace {

void is_named(const byte_vector& file, const char* name) {
    SCOPED_TRACE(name);
    mim_image* decoded = nullptr;
    fails(mim_image_decode(&decoded, file.data(), int64_t(file.size()), 1), MIM_ERROR_CORRUPT_DATA,
          {"mim_image_decode: bytes is ", name, "JPEG, PNG or WebP"});
    mim_image_info info{};
    info.size = int32_t(sizeof info);
    fails(mim_image_read_info(&info, file.data(), int64_t(file.size())), MIM_ERROR_CORRUPT_DATA,
          {"mim_image_read_info: bytes is ", name, "JPEG, PNG or WebP"});
}

byte_vector file_of_brands(std::string_view brands) {  // the second is that of the version
    return byte_vector{0, 0, 0, uint8_t(8 + brands.size())} + bytes_of("ftyp") + bytes_of(brands) +
           bytes_of("\0\0\0\x08mdat"sv);
}

}  // namespace

TEST(image_format, pictures_of_other_formats) {
    const std::pair<std::string_view, const char*> files[] = {
        {"GIF89a\1\0\1\0"sv, "a GIF"},
        {"GIF87a"sv, "a GIF"},
        {"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"sv, "a BMP"},
        {"II*\0\x08\0\0\0"sv, "a TIFF"},
        {"MM\0*\0\0\0\x08"sv, "a TIFF"},
        {"II*\0\x10\0\0\0CR\2\0"sv, "raw file (Canon CR2)"},
        {"FUJIFILMCCD-RAW 0201"sv, "raw file (Fujifilm RAF)"},
        {"\xff\x0a\0"sv, "JPEG XL"},
        {"\0\0\0\x0cJXL \r\n\x87\n"sv, "JPEG XL"},
        {"\0\0\0\x0cjP  \r\n\x87\n"sv, "JPEG 2000"},
        {"\xff\x4f\xff\x51\0"sv, "JPEG 2000"},
        {"8BPS\0\1"sv, "Photoshop"},
        {"%PDF-1.7\n"sv, "a PDF"},
        {"P6\n2 2\n255\n"sv, "a PPM"},
        {"\0\0\1\0\1\0"sv, "an icon"},
        {"\x89PNG\n\x1a\n\0"sv, "line ends were changed"},
    };
    for (const auto& [start, name] : files) is_named(bytes_of(start) + byte_vector(64, 1), name);
}

TEST(image_format, the_family_of_mp4) {
    const std::pair<std::string_view, const char*> files[] = {
        {"avif\0\0\0\0mif1miaf"sv, "an AVIF"},
        {"mif1\0\0\0\0mif1avif"sv, "an AVIF"},
        {"heic\0\0\0\0mif1heic"sv, "a HEIC"},
        {"mif1\0\0\0\0mif1heic"sv, "a HEIC"},
        {"isom\0\0\2\0isomavc1"sv, "a video (MP4, of the brand 'isom')"},
        {"qt  \0\0\0\0qt  "sv, "a video (QuickTime)"},
        {"crx \0\0\0\1crx isom"sv, "Canon CR3"},
        {"\1\2\3\4"sv, "a video (MP4, of the brand '"},
        {""sv, "a video (MP4"},
    };
    for (const auto& [brands, name] : files) is_named(file_of_brands(brands), name);
    is_named(bytes_of("\0\0\0\x14"
                      "ftyp"sv),
             "a video (MP4)");
    is_named(bytes_of("\x1a\x45\xdf\xa3\x9f\x42\x86\x81"), "WebM or Matroska");
}

TEST(image_format, riff_files) {
    is_named(bytes_of("RIFF\x10\0\0\0AVI LIST"sv), "a video (AVI)");
    is_named(bytes_of("RIFF\x10\0\0\0WAVEfmt "sv), "a sound (WAV)");
    is_named(bytes_of("RIFF\x10\0\0\0ACONanih"sv), "animated cursor");
    is_named(bytes_of("RIFF\x10\0\0\0abcdefgh"sv), "'abcd'");
    is_named(bytes_of("RIFF\x10\0"sv), "ends in its header");
}

TEST(image_format, texts) {
    const std::pair<std::string_view, const char*> files[] = {
        {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
         "a Git LFS pointer, not the picture itself ('git lfs pull' fetches it)"},
        {"<!DOCTYPE html>\n<html><body>404</body></html>", "an HTML page"},
        {"\xef\xbb\xbf\r\n <HTML>", "an HTML page"},
        {"<!-- cache --><html lang=\"en\">", "an HTML page"},
        {"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "an SVG"},
        {"<svg width=\"2\"/>", "an SVG"},
        {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "an XML file"},
        {"{\"error\": \"not found\"}", "a JSON file"},
        {"[1, 2]", "a JSON file"},
        {"/9j/4AAQSkZJRgABAQ", "base64"},
        {"data:image/png;base64,iVBORw0KGgo", "base64"},
        {"Access denied\nfor you", "a text that begins with 'Access denied'"},
        {"caf\xc3\xa9 au lait", "a text that begins with 'caf?? au lait'"},
        {" \n\n ", "a text of blanks"},
        {"\xff\xfeh\0i\0"sv, "a text in UTF-16"},
    };
    for (const auto& [text, name] : files) is_named(bytes_of(text), name);
}

TEST(image_format, archives_and_leftovers) {
    is_named(bytes_of("PK\3\4\x14\0\0\0"sv), "a zip");
    is_named(bytes_of("\x1f\x8b\x08\0"sv), "a gzip");
    is_named(bytes_of("\0\x05\x16\x07\0\2\0\0Mac OS X"sv), "an AppleDouble file");
    byte_vector tar(512, 1);
    std::copy_n("ustar", 5, tar.begin() + 257);
    is_named(tar, "a tar");
    is_named(byte_vector(1), "nothing but zeros");
    is_named(byte_vector(70000), "nothing but zeros");
    byte_vector late(70000);
    late[50000] = 1;
    is_named(late, "first 50000 bytes are zeros");
    is_named(bytes_of("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\0\x10JFIF"sv), "ruined");
}

TEST(image_format, what_nobody_knows_is_shown_in_hexadecimal) {
    for (const auto& [start, digits] :
         {std::pair("\x76\x65\x72\x01\x02\x03\x04\x05\x06"sv, "76 65 72 01 02 03 04 05"),
          {"\x01"sv, "begins with 01"},
          {"BM\1\1\1\1\1\1\1\1"sv, "42 4d 01"},
          {"\0\0\0\1"sv, "00 00 00 01"}})
        is_named(bytes_of(start), digits);
}
