/* Events: moments of a context's work. A CUDA device does what it is asked for later than it is asked, so
 * that a caller who wants to know when, or how long it took, marks the moment and asks afterwards. */
#ifndef MIM_EVENT_H
#define MIM_EVENT_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mim_event mim_event;

MIM_API mim_status mim_event_create(mim_context* ctx, mim_event** event);
MIM_API void mim_event_destroy(mim_event* event);

/* The event's moment is the one at which everything is done that its context was asked for so far. An
 * earlier moment of the event is forgotten.
 *
 * Errors: MIM_ERROR_UNSUPPORTED within a step (mim_step_begin) on a CUDA device. */
MIM_API mim_status mim_event_record(mim_event* event);

/* Waits until the event's moment has come.
 *
 * Errors: MIM_ERROR_INVALID_ARGUMENT where it was never recorded. */
MIM_API mim_status mim_event_synchronize(mim_event* event);

/* The time from one moment to a later one by the device's own clock, in milliseconds; waits for both.
 *
 * Errors: MIM_ERROR_INVALID_ARGUMENT where one was never recorded, or the two are of different contexts. */
MIM_API mim_status mim_event_milliseconds(mim_event* first, mim_event* second,
                                          double* milliseconds);

#ifdef __cplusplus
}
#endif

#endif
