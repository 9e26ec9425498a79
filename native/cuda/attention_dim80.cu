// Attention's kernels for head dimensions of 65 to 80.
#include "cuda/attention_launch.h"

namespace mim::cuda {

MIM_ATTENTION_OF_DIM(, 80)

}  // namespace mim::cuda
