// Temporary: weak stand-ins for ops whose file has not landed yet.
#include "cpu/processor.h"

namespace mim::cpu {
__attribute__((weak)) void processor::copy(context&, const view& dst, const view& src) { fail_unsupported("copy is not built"); }
__attribute__((weak)) void processor::fill(context&, const view& y, float value) { fail_unsupported("fill is not built"); }
__attribute__((weak)) void processor::gather_tokens_forward(context&, const view& y, const view& x, const view& ids, const mim_gather_tokens_params&) { fail_unsupported("gather_tokens_forward is not built"); }
__attribute__((weak)) void processor::gather_tokens_backward(context&, const view& dx, const view& dy, const view& ids, const mim_gather_tokens_params&) { fail_unsupported("gather_tokens_backward is not built"); }
__attribute__((weak)) void processor::embed_tokens_forward(context&, const view& y, const view& x, const view* cls, const view* position, const view* ids) { fail_unsupported("embed_tokens_forward is not built"); }
__attribute__((weak)) void processor::embed_tokens_backward(context&, const view& dx, const view* dcls, const view* dposition, const view& dy, const view* ids) { fail_unsupported("embed_tokens_backward is not built"); }
__attribute__((weak)) void processor::restore_tokens_forward(context&, const view& y, const view& x, const view& mask_token, const view* position, const view& ids_restore) { fail_unsupported("restore_tokens_forward is not built"); }
__attribute__((weak)) void processor::restore_tokens_backward(context&, const view& dx, const view* dmask_token, const view* dposition, const view& dy, const view& ids_restore) { fail_unsupported("restore_tokens_backward is not built"); }
}  // namespace mim::cpu
