/* Pictures: decode, resample, pad, flip, normalise, encode. Host memory only; every function is
 * safe from any thread. An image is 8-bit RGB, rows dense, top row first: (height, width, 3). */
#ifndef MIM_IMAGE_H
#define MIM_IMAGE_H

#include "mim/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mim_image mim_image;

typedef enum mim_image_format {
    MIM_IMAGE_UNKNOWN = 0,
    MIM_IMAGE_JPEG = 1,
    MIM_IMAGE_PNG = 2,
    MIM_IMAGE_WEBP = 3
} mim_image_format;

typedef enum mim_interpolation {
    MIM_BILINEAR = 0,
    MIM_BICUBIC = 1 /* a = -0.5, as Pillow */
} mim_interpolation;

/* What the header of an encoded picture says. */
typedef struct mim_image_info {
    int32_t size;   /* sizeof(mim_image_info) */
    int32_t format; /* a mim_image_format */
    int32_t width;  /* after the orientation is applied */
    int32_t height;
    int32_t channels;    /* as stored: 1 grey, 2 grey + alpha, 3 colour, 4 colour + alpha or CMYK */
    int32_t orientation; /* as EXIF counts, 1 to 8; 1 where absent */
} mim_image_info;

/* A rectangle of pixels; may reach outside an image only where a function says so. */
typedef struct mim_box {
    int32_t top;
    int32_t left;
    int32_t height;
    int32_t width;
} mim_box;

/* Reads no pixels: the header, and metadata for the orientation, which may stand anywhere.
 * MIM_ERROR_CORRUPT_DATA where this is no JPEG, PNG or WebP; the error names what it is instead.
 *
 * The orientation is that of EXIF (JPEG's APP1 segments, PNG's eXIf chunk or the texts "Raw profile
 * type exif" and "APP1" that ImageMagick writes, WebP's EXIF chunk), and where EXIF states none,
 * tiff:Orientation of XMP. */
MIM_API mim_status mim_image_read_info(mim_image_info* info, const void* bytes, int64_t count);

/* Decodes to RGB: grey is repeated, CMYK and YCCK (Adobe's inverted kind too) converted as
 * Pillow does, 16-bit PNG reduced to its high byte, palettes resolved, alpha dropped (as
 * Pillow's convert("RGB")); the orientation applied where apply_orientation is 1.
 *
 * A file whose pixels are damaged or missing is MIM_ERROR_CORRUPT_DATA: codes that make no sense,
 * rows or scans that never came, a wrong checksum of pixels. Nothing else costs a picture: not an
 * end marker that is missing behind the last pixel, bytes behind the end or between two segments,
 * damaged metadata, or a header with unusual numbers. A scan of a progressive JPEG that the file
 * announces but does not hold is missing, with or without an end marker; one with arithmetic codes
 * needs its end marker, since nothing else tells that it is whole.
 *
 * Animations and pictures of more than 2^28 pixels are refused. The image is the caller's, to end
 * with mim_image_destroy. */
MIM_API mim_status mim_image_decode(mim_image** image, const void* bytes, int64_t count,
                                    int32_t apply_orientation);

/* A black image; an image with the given pixels (height * width * 3 bytes, copied; NULL for
 * black). */
MIM_API mim_status mim_image_create(mim_image** image, int32_t height, int32_t width,
                                    const uint8_t* pixels);
MIM_API void mim_image_destroy(mim_image* image);
MIM_API int32_t mim_image_height(const mim_image* image);
MIM_API int32_t mim_image_width(const mim_image* image);
/* The pixels, for as long as the image lives; they may be written. */
MIM_API uint8_t* mim_image_pixels(mim_image* image);

/* The box of the image, resized to height x width with Pillow's antialiased filters, bit for
 * bit: the box is cut out first, so nothing outside it is seen. */
MIM_API mim_status mim_image_resized_crop(mim_image** result, const mim_image* image,
                                          const mim_box* box, int32_t height, int32_t width,
                                          int32_t interpolation);

/* The image with a border of `pad` pixels on each side, mirrored without repeating the edge; pad
 * < height, width. */
MIM_API mim_status mim_image_pad_reflect(mim_image** result, const mim_image* image, int32_t pad);

/* The box of the image; it may reach outside, where pixels are black. */
MIM_API mim_status mim_image_crop(mim_image** result, const mim_image* image, const mim_box* box);

/* Mirrors left and right, in place. */
MIM_API mim_status mim_image_flip(mim_image* image);

/* values[c,y,x] = (pixel / 255 - mean[c]) / std[c], in f32 from a table per channel.
 *   values  (3, height, width) dense, f32, height * width * 3 of them;  mean, std: 3 each */
MIM_API mim_status mim_image_normalize(float* values, const mim_image* image, const float* mean,
                                       const float* std);

/* A crop as the training transforms make it, fused: resized_crop of `box` to height x width,
 * flipped where flip is 1, and normalised. The same numbers as the separate calls. */
MIM_API mim_status mim_image_sample(float* values, const mim_image* image, const mim_box* box,
                                    int32_t height, int32_t width, int32_t interpolation,
                                    int32_t flip, const float* mean, const float* std);

/* Encodes as 8-bit RGB PNG. *bytes is the library's; end it with mim_bytes_destroy. */
MIM_API mim_status mim_image_encode_png(uint8_t** bytes, int64_t* count, const mim_image* image);
MIM_API void mim_bytes_destroy(uint8_t* bytes);

#ifdef __cplusplus
}
#endif

#endif
