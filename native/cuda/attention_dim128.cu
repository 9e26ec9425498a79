// Attention's kernels for head dimensions of 81 to 128.
#include "cuda/attention_launch.h"

namespace mim::cuda {

MIM_ATTENTION_OF_DIM(, 128)

}  // namespace mim::cuda
