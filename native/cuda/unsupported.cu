// Ops that the GPU does not have yet.
#include "cuda/gpu.h"

namespace mim::cuda {

void gpu::low_pass(context&, const view&, const view&, const view&, const view&,
                   const mim_low_pass_params&) {
    fail_unsupported("low_pass is not there on CUDA yet");
}
void gpu::measure_ceiling(context&, mim_ceiling&) {
    fail_unsupported("measure_ceiling is not there on CUDA yet");
}

}  // namespace mim::cuda
