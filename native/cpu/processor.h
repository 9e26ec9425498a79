// The CPU backend: every op of backend_ops.inc, each defined in the file of its name.
#pragma once

#include "core/context.h"

namespace mim::cpu {

class processor final : public backend {
public:
    explicit processor(int32_t threads) : threads_(threads) {}

    std::string description() const override;
    bool has_bf16() const override;
    void* allocate(int64_t bytes) override;
    void release(void* memory, int64_t bytes) noexcept override;
    void synchronize() override {}
    std::unique_ptr<event> make_event() override;
    std::unique_ptr<readback> make_readback(int64_t bytes) override;
    std::unique_ptr<upload> make_upload(int64_t bytes) override;

#define MIM_OP(name, parameters) void name parameters override;
#include "core/backend_ops.inc"
#undef MIM_OP

private:
    int32_t threads_;
};

}  // namespace mim::cpu
