#include "cpu/level.h"

#include <cstdlib>
#include <optional>
#include <string>

#include "core/error.h"
#include "cpu/matmul.h"
#include "hwy/highway.h"

namespace mim::cpu {

namespace {

struct known_level {
    level value;
    const char *name, *description, *limited;
};

constexpr known_level known[] = {
    {level::baseline, "", "SSE2", "SSE2"},
    {level::avx2, "avx2", "AVX2", "AVX2 (MIM_CPU_LEVEL)"},
    {level::avx512, "avx512", "AVX-512", "AVX-512 (MIM_CPU_LEVEL)"},
    {level::avx512_bf16, "avx512_bf16", "AVX-512 with bf16", "AVX-512 with bf16 (MIM_CPU_LEVEL)"},
};

// What the kernels of a level are compiled for is what the processor must have.
level best_of_processor() {
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (!avx2) return level::baseline;
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
    if (!avx512) return level::avx2;
    return __builtin_cpu_supports("avx512bf16") ? level::avx512_bf16 : level::avx512;
}

struct choice {
    level best = best_of_processor();
    std::string asked;  // what MIM_CPU_LEVEL says; empty where nothing
    std::optional<level> limit;
    bool too_late = false;  // oneDNN was used in this process before libmim was loaded

    choice() {
        const char* variable = std::getenv("MIM_CPU_LEVEL");
        asked = variable == nullptr ? "" : variable;
        for (const known_level& k : known)
            if (!asked.empty() && asked == k.name) limit = k.value;
        if (!limit || *limit > best) return;
        // Highway's targets are bits, and a better one is a lower bit.
        if (*limit == level::avx2) hwy::DisableTargets(HWY_AVX2 - 1);
        too_late = !limit_matmul(*limit);
    }
};

// Made when the library is loaded: Highway and oneDNN must know before either is first used.
const choice chosen;

}  // namespace

level level_in_use() {
    if (chosen.asked.empty()) return chosen.best;
    if (!chosen.limit)
        fail_argument("the environment variable MIM_CPU_LEVEL is '" + chosen.asked +
                      "', expected avx2, avx512 or avx512_bf16");
    if (*chosen.limit > chosen.best)
        throw error(MIM_ERROR_DEVICE_UNAVAILABLE, "the environment variable MIM_CPU_LEVEL is " +
                                                      chosen.asked +
                                                      ", which this processor lacks: it has " +
                                                      known[int(chosen.best)].description);
    if (chosen.too_late)
        throw error(MIM_ERROR_DEVICE_UNAVAILABLE,
                    "the environment variable MIM_CPU_LEVEL is " + chosen.asked +
                        ", but this process used oneDNN before libmim could limit it");
    return *chosen.limit;
}

const char* level_description() {
    const known_level& used = known[int(level_in_use())];
    return chosen.limit ? used.limited : used.description;
}

}  // namespace mim::cpu
