// Ops that the GPU does not have yet.
#include "cuda/gpu.h"

namespace mim::cuda {

void gpu::measure_ceiling(context&, mim_ceiling&) {
    fail_unsupported("measure_ceiling is not there on CUDA yet");
}

}  // namespace mim::cuda
