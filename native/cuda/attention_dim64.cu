// Attention's kernels for head dimensions of 33 to 64.
#include "cuda/attention_launch.h"

namespace mim::cuda {

MIM_ATTENTION_OF_DIM(, 64)

}  // namespace mim::cuda
