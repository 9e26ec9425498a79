// A CUDA library that was made from other headers than any libmim.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) uint64_t mim_cuda_built_against() {
    return 1;
}
