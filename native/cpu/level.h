// Which of the processor's instruction sets the kernels use: the best that it has, or a lower one that
// MIM_CPU_LEVEL names, so that one machine can run what another would.
#pragma once

namespace mim::cpu {

// Each has what those before it have.
enum class level { baseline, avx2, avx512, avx512_bf16 };

// The level in use; exported for tests. Throws where MIM_CPU_LEVEL names none, or one that this processor lacks.
__attribute__((visibility("default"))) level level_in_use();

// "AVX-512", and where MIM_CPU_LEVEL decided, that it did.
const char* level_description();

}  // namespace mim::cpu
