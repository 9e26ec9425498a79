// Contexts of other thread counts, for ops whose results must not depend on them.
#pragma once

#include "op_test.h"

namespace mim::test {

class context_with_threads {
public:
    context_with_threads(const harness& t, int32_t threads) {
        const mim_context_params params = {sizeof params, t.device(), 0, threads};
        if (mim_context_create(&ctx_, &params) != MIM_OK)
            throw std::runtime_error(mim_last_error());
    }
    ~context_with_threads() { mim_context_destroy(ctx_); }
    context_with_threads(const context_with_threads&) = delete;
    context_with_threads& operator=(const context_with_threads&) = delete;
    operator mim_context*() const { return ctx_; }

private:
    mim_context* ctx_ = nullptr;
};

// run(ctx) returns all that an op computed; twice with two threads, and with other counts, it must
// be the same bits.
template <class Run>
void same_bits_for_any_thread_count(const harness& t, Run&& run) {
    const std::vector<double> once = run(t.ctx());
    EXPECT_EQ(once, run(t.ctx())) << "a second run differs";
    for (const int32_t threads : {1, 3, 7}) {
        const context_with_threads ctx(t, threads);
        EXPECT_EQ(once, run(ctx)) << "differs with " << threads << " threads";
    }
}

// The values of several tensors, one after the other.
inline std::vector<double> joined(std::initializer_list<tensor> tensors) {
    std::vector<double> all;
    for (const tensor& x : tensors) {
        const std::vector<double> values = x.values();
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

// The same view with its memory taken away: what an op is given while planning.
inline mim_view without_memory(const mim_view* v) {
    mim_view copy = *v;
    copy.data = reinterpret_cast<void*>(uintptr_t(4096));
    return copy;
}

}  // namespace mim::test
