// Attention's kernels for head dimensions of 1 to 32.
#include "cuda/attention_launch.h"

namespace mim::cuda {

MIM_ATTENTION_OF_DIM(, 32)

}  // namespace mim::cuda
