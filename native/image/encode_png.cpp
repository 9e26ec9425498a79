// PNG encoding, by libpng's one-call interface: it reports errors by its result and jumps nowhere.
#include <png.h>

#include <cstdlib>
#include <memory>

#include "image/image.h"

using namespace mim;

mim_status mim_image_encode_png(uint8_t** bytes, int64_t* count, const mim_image* image) {
    return guarded("mim_image_encode_png", [&] {
        require_present({MIM_ARG(bytes), MIM_ARG(count), MIM_ARG(image)});
        *bytes = nullptr;
        *count = 0;
        png_image png{};
        png.version = PNG_IMAGE_VERSION;
        png.width = uint32_t(image->width);
        png.height = uint32_t(image->height);
        png.format = PNG_FORMAT_RGB;
        png_alloc_size_t written = PNG_IMAGE_PNG_SIZE_MAX(png);
        std::unique_ptr<void, decltype(&std::free)> file(std::malloc(written), &std::free);
        if (file == nullptr) throw std::bad_alloc();
        if (!png_image_write_to_memory(&png, file.get(), &written, 0, image->pixels.get(),
                                       image->width * 3, nullptr))
            throw std::runtime_error(std::string("libpng: ") + png.message);
        void* exact = std::realloc(file.get(), written);  // gives back what compression saved
        if (exact != nullptr) {
            file.release();
            file.reset(exact);
        }
        *count = int64_t(written);
        *bytes = static_cast<uint8_t*>(file.release());
    });
}

void mim_bytes_destroy(uint8_t* bytes) {
    std::free(bytes);
}
