/* The ground every other header stands on: status codes, element types, views, error text, and the
 * ABI handshake.
 *
 * Rules of this ABI
 *   - Arguments come in the order: context, results, inputs, saved values, params. Absent
 *     optional views are NULL.
 *   - The caller owns all memory. Views borrow. What backward needs from forward is an explicit
 *     argument.
 *   - Gradients of activations are overwritten; gradients of parameters are added to.
 *   - Every function that can fail returns a mim_status; mim_last_error() then tells this
 *     thread's story in a sentence.
 *   - The library never prints, never aborts, never exits; no exception crosses. */
#ifndef MIM_BASE_H
#define MIM_BASE_H

#include <stdint.h>

#if defined(_WIN32)
#if defined(MIM_BUILDING)
#define MIM_API __declspec(dllexport)
#else
#define MIM_API __declspec(dllimport)
#endif
#else
#define MIM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a signature or a struct changes; a binding refuses to work with another
 * version. */
#define MIM_ABI_VERSION 1

/* The largest rank of a view. */
#define MIM_MAX_RANK 6

/* Outcome of a call. Values are fixed and only appended to. */
typedef enum mim_status {
    MIM_OK = 0,
    MIM_ERROR_INVALID_ARGUMENT = 1,   /* a null, a shape, a dtype, a device, a setting */
    MIM_ERROR_OUT_OF_MEMORY = 2,      /* an allocation failed; nothing was changed */
    MIM_ERROR_UNSUPPORTED = 3,        /* valid, but this backend or processor cannot */
    MIM_ERROR_DEVICE_UNAVAILABLE = 4, /* the device that was asked for cannot be had */
    MIM_ERROR_CORRUPT_DATA = 5,       /* an image that cannot be decoded */
    MIM_ERROR_INTERNAL = 6            /* a defect of this library or of one that it stands on */
} mim_status;

/* Element types of views. */
typedef enum mim_dtype {
    MIM_F32 = 0,
    MIM_BF16 = 1,
    MIM_I32 = 2,
    MIM_I64 = 3,
    MIM_U8 = 4
} mim_dtype;

/* Where the memory of a view lies. */
typedef enum mim_device { MIM_CPU = 0, MIM_CUDA = 1 } mim_device;

/* A typed, strided window on memory that somebody else owns. Dense means row-major without gaps. */
typedef struct mim_view {
    int32_t size;                 /* sizeof(mim_view) */
    int32_t dtype;                /* a mim_dtype */
    int32_t device;               /* a mim_device */
    int32_t rank;                 /* 1 to MIM_MAX_RANK; a scalar is a vector of one */
    int64_t shape[MIM_MAX_RANK];  /* extents, outermost first; entries past rank are ignored */
    int64_t stride[MIM_MAX_RANK]; /* distance between neighbours along each axis, in elements */
    void* data;
} mim_view;

/* This thread's latest error: one sentence that begins with the function's name and names the
 * argument, what was expected and what came. Empty before the first error. Valid until this
 * thread's next failing call. UTF-8. */
MIM_API const char* mim_last_error(void);

/* MIM_ABI_VERSION as the library was built. */
MIM_API int32_t mim_abi_version(void);

/* A hash over the sizes and field offsets of every public struct: FNV-1a (64 bit) over
 * little-endian int64 values, for each struct in the order of the headers its size, then the
 * offset of each field. A binding computes the same over its own layouts and refuses to work
 * when they differ. */
MIM_API uint64_t mim_abi_layout_hash(void);

/* The layout of one public struct: its size, then each field's offset, in bytes, written to
 * values (capacity entries). Returns how many values the struct has, 0 for an unknown name. */
MIM_API int32_t mim_abi_struct_layout(const char* name, int64_t* values, int32_t capacity);

/* The library's version, as "major.minor.patch". */
MIM_API const char* mim_version(void);

#ifdef __cplusplus
}
#endif

#endif
