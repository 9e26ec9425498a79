#include "image_support.h"

#include <cstdio>
#include <cstring>

#include <jpeglib.h>  // needs <cstdio> before it
#include <png.h>
#include <webp/encode.h>

namespace image_test {

raster black(int height, int width) {
    return {height, width, byte_vector(size_t(height) * size_t(width) * 3)};
}

raster noise(int height, int width, uint32_t seed) {
    raster r = black(height, width);
    for (uint8_t& value : r.rgb) {
        seed = seed * 1664525u + 1013904223u;
        value = uint8_t(seed >> 24);
    }
    return r;
}

raster gradient(int height, int width) {
    raster r = black(height, width);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            r.at(y, x, 0) = uint8_t(40 + 150 * x / width);
            r.at(y, x, 1) = uint8_t(60 + 120 * y / height);
            r.at(y, x, 2) = uint8_t(200 - 90 * x / width);
        }
    return r;
}

void ok(mim_status status) {
    ASSERT_EQ(status, MIM_OK) << mim_last_error();
}

void fails(mim_status status, mim_status expected, std::initializer_list<const char*> words) {
    ASSERT_EQ(status, expected) << mim_last_error();
    for (const char* word : words)
        EXPECT_NE(std::strstr(mim_last_error(), word), nullptr) << mim_last_error();
}

image make(const raster& pixels) {
    mim_image* made = nullptr;
    ok(mim_image_create(&made, pixels.height, pixels.width, pixels.rgb.data()));
    return image(made);
}

raster read(const image& image) {
    if (image == nullptr) return {};
    raster r = black(mim_image_height(image.get()), mim_image_width(image.get()));
    std::memcpy(r.rgb.data(), mim_image_pixels(image.get()), r.rgb.size());
    return r;
}

raster decode(const byte_vector& file, bool apply_orientation) {
    mim_image* decoded = nullptr;
    ok(mim_image_decode(&decoded, file.data(), int64_t(file.size()), apply_orientation));
    return read(image(decoded));
}

mim_image_info info_of(const byte_vector& file) {
    mim_image_info info{};
    info.size = int32_t(sizeof info);
    ok(mim_image_read_info(&info, file.data(), int64_t(file.size())));
    return info;
}

int largest_difference(const raster& a, const raster& b) {
    if (a.height != b.height || a.width != b.width) return 1000;
    int largest = 0;
    for (size_t i = 0; i < a.rgb.size(); ++i)
        largest = std::max(largest, std::abs(int(a.rgb[i]) - int(b.rgb[i])));
    return largest;
}

byte_vector exif(int orientation, bool big_endian) {
    byte_vector block;
    const auto put = [&](uint32_t value, int count) {
        for (int i = 0; i < count; ++i)
            block.push_back(uint8_t(value >> 8 * (big_endian ? count - 1 - i : i)));
    };
    block.insert(block.end(), 2, big_endian ? 'M' : 'I');
    put(42, 2);
    put(8, 4);                                        // where the directory begins
    put(2, 2);                                        // entries
    put(0x010f, 2), put(2, 2), put(3, 4), put(0, 4);  // a maker, which is to be skipped
    put(0x0112, 2), put(3, 2), put(1, 4), put(uint32_t(orientation), 2), put(0, 2);
    put(0, 4);  // no next directory
    return block;
}

byte_vector jpeg_file(int height, int width, const byte_vector& samples, const jpeg_kind& kind,
                      const byte_vector& exif_block) {
    jpeg_compress_struct encoder{};
    jpeg_error_mgr errors{};
    encoder.err = jpeg_std_error(&errors);
    jpeg_create_compress(&encoder);
    unsigned char* file = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&encoder, &file, &size);
    encoder.image_width = JDIMENSION(width);
    encoder.image_height = JDIMENSION(height);
    encoder.input_components = kind.components;
    encoder.in_color_space = kind.components == 1   ? JCS_GRAYSCALE
                             : kind.components == 3 ? JCS_RGB
                                                    : JCS_CMYK;
    jpeg_set_defaults(&encoder);
    if (kind.ycck) jpeg_set_colorspace(&encoder, JCS_YCCK);
    jpeg_set_quality(&encoder, 100, TRUE);
    encoder.comp_info[0].h_samp_factor = encoder.comp_info[0].v_samp_factor =
        kind.subsampled ? 2 : 1;
    encoder.arith_code = kind.arithmetic;
    encoder.restart_interval = unsigned(kind.restart_blocks);
    std::vector<jpeg_scan_info> scans;
    if (kind.separate_scans) {
        if (kind.progressive) scans.push_back({kind.components, {0, 1, 2}, 0, 0, 0, 0});
        for (int c = 0; c < kind.components; ++c)
            scans.push_back({1, {c}, kind.progressive ? 1 : 0, 63, 0, 0});
        encoder.scan_info = scans.data();
        encoder.num_scans = int(scans.size());
    } else if (kind.progressive) {
        jpeg_simple_progression(&encoder);
    }
    jpeg_start_compress(&encoder, TRUE);
    if (!exif_block.empty()) {
        byte_vector marker = {'E', 'x', 'i', 'f', 0, 0};
        marker.insert(marker.end(), exif_block.begin(), exif_block.end());
        jpeg_write_marker(&encoder, JPEG_APP0 + 1, marker.data(), unsigned(marker.size()));
    }
    for (int y = 0; y < height; ++y) {
        JSAMPROW row =
            const_cast<JSAMPROW>(samples.data() + size_t(y) * size_t(width * kind.components));
        jpeg_write_scanlines(&encoder, &row, 1);
    }
    jpeg_finish_compress(&encoder);
    jpeg_destroy_compress(&encoder);
    byte_vector result(file, file + size);
    free(file);
    return result;
}

byte_vector png_file(int height, int width, const byte_vector& rows, const png_kind& kind,
                     const byte_vector& palette, const byte_vector& exif_block) {
    byte_vector file;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(
        png, &file,
        [](png_structp png, png_bytep data, size_t count) {
            auto* target = static_cast<byte_vector*>(png_get_io_ptr(png));
            target->insert(target->end(), data, data + count);
        },
        nullptr);
    png_set_IHDR(png, info, png_uint_32(width), png_uint_32(height), kind.depth, kind.colour_type,
                 kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (kind.colour_type == PNG_COLOR_TYPE_PALETTE) {
        std::vector<png_color> colours(palette.size() / 3);
        for (size_t i = 0; i < colours.size(); ++i)
            colours[i] = {palette[3 * i], palette[3 * i + 1], palette[3 * i + 2]};
        png_set_PLTE(png, info, colours.data(), int(colours.size()));
    }
    if (kind.transparency) {
        const byte_vector alpha = {0, 128};
        png_color_16 colour{};  // black is see-through
        png_set_tRNS(png, info, alpha.data(), 2, &colour);
    }
    if (!exif_block.empty())
        png_set_eXIf_1(png, info, png_uint_32(exif_block.size()),
                       const_cast<png_bytep>(exif_block.data()));
    png_write_info(png, info);
    const size_t stride = rows.size() / size_t(height);
    std::vector<png_bytep> pointers;
    for (int y = 0; y < height; ++y)
        pointers.push_back(const_cast<png_bytep>(rows.data() + stride * size_t(y)));
    png_write_image(png, pointers.data());
    png_write_end(png, nullptr);
    png_destroy_write_struct(&png, &info);
    return file;
}

byte_vector webp_file(int height, int width, const byte_vector& rgba, bool lossless) {
    uint8_t* file = nullptr;
    WebPConfig config;
    WebPConfigInit(&config);
    config.lossless = lossless;
    config.exact = 1;  // keep the colours under transparent pixels
    config.quality = lossless ? 50.0f : 100.0f;
    WebPPicture picture;
    WebPPictureInit(&picture);
    picture.use_argb = lossless;
    picture.width = width;
    picture.height = height;
    WebPPictureImportRGBA(&picture, rgba.data(), width * 4);
    WebPMemoryWriter writer;
    WebPMemoryWriterInit(&writer);
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    EXPECT_TRUE(WebPEncode(&config, &picture));
    WebPPictureFree(&picture);
    file = writer.mem;
    byte_vector result(file, file + writer.size);
    WebPMemoryWriterClear(&writer);
    return result;
}

byte_vector webp_with_exif(const byte_vector& still, int height, int width, bool alpha,
                           const byte_vector& exif_block) {
    byte_vector file;
    const auto put = [&](size_t value, int count) {
        for (int i = 0; i < count; ++i) file.push_back(uint8_t(value >> 8 * i));
    };
    const auto name = [&](const char* text) {
        for (int i = 0; i < 4; ++i) file.push_back(uint8_t(text[i]));
    };
    name("RIFF"), put(0, 4), name("WEBP");  // the size comes last
    if (std::memcmp(still.data() + 12, "VP8X", 4) != 0) {
        name("VP8X"), put(10, 4);
        put(alpha ? 0x18 : 0x08, 4);  // flags: EXIF, alpha
        put(size_t(width - 1), 3), put(size_t(height - 1), 3);
        file.insert(file.end(), still.begin() + 12, still.end());
    } else {
        file.insert(file.end(), still.begin() + 12, still.end());
        file[20] |= 0x08;
    }
    name("EXIF"), put(exif_block.size(), 4);
    file.insert(file.end(), exif_block.begin(), exif_block.end());
    if (exif_block.size() % 2) file.push_back(0);
    for (int i = 0; i < 4; ++i) file[size_t(4 + i)] = uint8_t((file.size() - 8) >> 8 * i);
    return file;
}

byte_vector rgba_of(const raster& pixels, int alpha) {
    byte_vector rgba;
    for (size_t i = 0; i < pixels.rgb.size(); i += 3) {
        rgba.insert(rgba.end(), pixels.rgb.begin() + int64_t(i),
                    pixels.rgb.begin() + int64_t(i) + 3);
        rgba.push_back(alpha < 0 ? uint8_t(i) : uint8_t(alpha));
    }
    return rgba;
}

}  // namespace image_test
