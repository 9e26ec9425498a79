/* Contexts and buffers: a device, its threads, its scratch memory; and memory that lives on it.
 *
 * A context serves one thread at a time. Handles keep what they depend on alive, so a garbage
 * collector may release them in any order. destroy(NULL) does nothing. */
#ifndef MIM_CONTEXT_H
#define MIM_CONTEXT_H

#include "mim/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mim_context mim_context;
typedef struct mim_buffer mim_buffer;
typedef struct mim_readback mim_readback;
typedef struct mim_upload mim_upload;

typedef struct mim_context_params {
    int32_t size;         /* sizeof(mim_context_params) */
    int32_t device;       /* a mim_device */
    int32_t device_index; /* which of them; 0 on the CPU */
    int32_t threads;      /* CPU threads of an op; 0 for one per available processor */
} mim_context_params;

/* What a context runs on. */
typedef struct mim_context_info {
    int32_t size;          /* sizeof(mim_context_info) */
    int32_t device;        /* a mim_device */
    int32_t threads;       /* CPU threads of an op */
    int32_t has_bf16;      /* 1 where the device multiplies bf16 in hardware */
    int64_t scratch_bytes; /* scratch memory held now */
    int64_t scratch_peak;  /* the most that any op has asked for so far, planned ones included */
    int64_t
        native_nanoseconds; /* time spent in calls so far: ops with their checks, and waiting for
                                   them; of a step, the rest is time outside of the library */
    int64_t replayed_steps; /* steps that were started as they had been recorded: mim_step_end */
    int64_t memory_bytes;   /* memory on the device that buffers and scratch hold now */
    int64_t memory_peak;    /* the most that they held at once so far */
} mim_context_info;

/* Creates a context on a device. A device that cannot be had is an error that lists what was
 * tried; nothing falls back. */
MIM_API mim_status mim_context_create(mim_context** ctx, const mim_context_params* params);
MIM_API void mim_context_destroy(mim_context* ctx);
MIM_API mim_status mim_context_get_info(mim_context* ctx, mim_context_info* info);

/* A line for people: processor, instruction sets in use, library versions. Valid as long as the
 * context. */
MIM_API const char* mim_context_description(mim_context* ctx);

/* Planning: while enabled (1), ops check their arguments and count their scratch memory, but
 * neither read nor write any view, so views may point to memory that does not exist yet. A whole
 * step can be run this way to learn its peak. */
MIM_API mim_status mim_context_set_planning(mim_context* ctx, int32_t enabled);

/* Makes scratch memory of at least this many bytes, so that no later op of that size allocates. */
MIM_API mim_status mim_context_reserve_scratch(mim_context* ctx, int64_t bytes);

/* Waits until everything the context was asked to do is done. Immediate on the CPU. */
MIM_API mim_status mim_context_synchronize(mim_context* ctx);

/* Steps that repeat. What is asked of a context between mim_step_begin and mim_step_end, a CUDA device
 * is given as one graph where it is the same as before: the same calls in the same order with the same
 * addresses, shapes and params. The first step of a number is done as it is asked for. The next ones are
 * recorded while nothing is done yet, and mim_step_end starts them. From then on calls are only compared
 * with what was recorded, and mim_step_end starts that again. What may be other numbers every time: what
 * mim_copy takes from host memory, which may be overwritten as soon as mim_copy returns, and seed and
 * epoch of mim_random_uniform.
 *   Where a call differs from the recorded one nothing is done at all, and mim_step_end tells so in
 * `started`: then make the same calls again between another begin and end, which does them as they are
 * asked for and forgets what was recorded.
 *   Within a step nothing can be waited for, measured or copied to host memory on a CUDA device:
 * MIM_ERROR_UNSUPPORTED. Memory that is made or destroyed within a step is so at once as far as the
 * caller can tell.
 *   number   which step, for a caller with several that repeat: at least 0
 *   started  0 where the calls have to be made again, otherwise 1
 * A CPU does everything at once, and every step is started. MIM_ERROR_INVALID_ARGUMENT where a step is
 * begun within a step, or ended without one. */
MIM_API mim_status mim_step_begin(mim_context* ctx, int32_t number);
MIM_API mim_status mim_step_end(mim_context* ctx, int32_t* started);

/* Ends a step in which something failed without starting it. What was already done stays done; the
 * next step of that number is done as it is asked for. Does nothing where no step was begun. */
MIM_API mim_status mim_step_cancel(mim_context* ctx);

/* Memory on the context's device, zeroed, aligned to at least 64 bytes; large buffers ask the
 * system for huge pages. */
MIM_API mim_status mim_buffer_create(mim_context* ctx, mim_buffer** buffer, int64_t bytes);
MIM_API void mim_buffer_destroy(mim_buffer* buffer);
MIM_API void* mim_buffer_data(mim_buffer* buffer);
MIM_API int64_t mim_buffer_bytes(mim_buffer* buffer);

/* Numbers on their way to the host while the device goes on: memory of the host, and one copy into it
 * at a time. mim_readback_start asks for the copy of what the view holds when everything that was asked
 * for so far is done, and returns at once; mim_readback_wait waits for that copy alone, not for what was
 * asked for after it. Then mim_readback_data holds the numbers, densely, until the next start. A CPU
 * copies at once.
 *   from   dense, on the context's device, at most as many bytes as the readback was made for
 * MIM_ERROR_UNSUPPORTED on a CUDA device within a step. Waiting where nothing was started is no error. */
MIM_API mim_status mim_readback_create(mim_context* ctx, mim_readback** readback, int64_t bytes);
MIM_API void mim_readback_destroy(mim_readback* readback);
MIM_API mim_status mim_readback_start(mim_context* ctx, mim_readback* readback,
                                      const mim_view* from);
MIM_API mim_status mim_readback_wait(mim_context* ctx, mim_readback* readback);
MIM_API void* mim_readback_data(mim_readback* readback);

/* Numbers on their way to the device while it goes on. mim_upload_start asks for a copy, which a CUDA
 * device makes beside the work that was asked for before; what is asked for afterwards finds the numbers,
 * densely, at mim_upload_data, until the next start. The host memory may be overwritten as soon as it
 * returns. A CUDA device has two places for them, so that the copy for the next work need not wait for the
 * work that reads this one; they take turns, and mim_upload_data tells the latest. Of steps that repeat
 * with one start before each, every second one finds its numbers at the same address, and such are
 * replayed. A CPU has one place and copies at once.
 *   bytes  of one place
 *   from   dense, in host memory, at most `bytes`
 * mim_upload_bytes is the memory on the device that all places take. On a CUDA device they take as much
 * pinned memory of the host. mim_upload_start is MIM_ERROR_UNSUPPORTED there within a step. */
MIM_API mim_status mim_upload_create(mim_context* ctx, mim_upload** upload, int64_t bytes);
MIM_API void mim_upload_destroy(mim_upload* upload);
MIM_API mim_status mim_upload_start(mim_context* ctx, mim_upload* upload, const mim_view* from);
MIM_API void* mim_upload_data(mim_upload* upload);
MIM_API int64_t mim_upload_bytes(mim_upload* upload);

#ifdef __cplusplus
}
#endif

#endif
