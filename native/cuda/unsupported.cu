// Ops that the GPU does not have yet.
#include "cuda/gpu.h"

namespace mim::cuda {


}  // namespace mim::cuda
