// The CUDA backend: every op of backend_ops.inc, each defined in the file of its name. Work is put
// into one stream, uploads into another beside it, and not waited for.
#pragma once

#include "core/context.h"
#include "cuda/device.h"
#include "cuda/fft.h"
#include "cuda/matmul.h"
#include "cuda/runtime.h"
#include "cuda/step_graph.h"

namespace mim::cuda {

constexpr unsigned block = 256;  // threads of one, where a kernel has no reason for another number

// What a matrix product takes of an op's scratch; products of one op may share it.
struct product_scratch {
    void* workspace;
    bf16* bias = nullptr;  // a copy of it in the result's dtype, where that is bf16

    // `widest_bias` is the largest number of columns with a bias; 0 where no product has one.
    product_scratch(context& ctx, int32_t dtype, int64_t widest_bias)
        : workspace(ctx.scratch<char>(matmul::workspace_bytes())) {
        if (dtype == MIM_BF16 && widest_bias > 0) bias = ctx.scratch<bf16>(widest_bias);
    }
};

class gpu final : public backend {
public:
    explicit gpu(int32_t index);
    ~gpu() override;

    std::string description() const override { return properties_.description; }
    bool has_bf16() const override { return true; }
    void* allocate(int64_t bytes) override;
    void release(void* memory, int64_t bytes) noexcept override;
    void synchronize() override;
    void begin() override { use_device(index_); }
    std::unique_ptr<readback> make_readback(int64_t bytes) override;
    std::unique_ptr<upload> make_upload(int64_t bytes) override;
    void begin_step(int32_t number) override;
    bool end_step() override;
    void cancel_step() noexcept override;
    int64_t replayed_steps() const override { return step_.replayed(); }
    std::unique_ptr<event> make_event() override;

#define MIM_OP(name, parameters) void name parameters override;
#include "core/backend_ops.inc"
#undef MIM_OP

    // c = a b as the product says; bias is f32, or null where the product has none.
    void multiply(const matrix_product& product, void* c, const void* a, const void* b,
                  const float* bias, const product_scratch& scratch);
    // For several products with one bias: it in the dtype of their results, rounded to `rounded`
    // where that is bf16; and a product with what this returned.
    const void* bias_in(int32_t dtype, const float* bias, int64_t count, bf16* rounded);
    void multiply_with(const matrix_product& product, void* c, const void* a, const void* b,
                       const void* bias, const product_scratch& scratch);

    // Puts a copy into pinned memory of the host into the stream.
    void read_back(void* pinned, const void* from, int64_t bytes, cuda::event finished);

    // Puts a copy from pinned memory of the host into the stream of copies, behind what was asked for
    // before `asked` was recorded last, and records that anew. What is asked for from now on waits for
    // the copy.
    void send(void* to, const void* pinned, int64_t bytes, cuda::event asked, cuda::event copied);

    // launch(shape, kernel, arguments...) into the backend's stream, or into the step that is gathered.
    template <class... P, class... A>
    void launch(const launch_shape& shape, void (*kernel)(P...), A... arguments) {
        if (step_.takes(shape.grid, shape.block, shape.shared, kernel, P(arguments)...))
            cuda::launch(stream_, shape, kernel, arguments...);
    }

    // Whatever a step may have asked for so far has to be done first.
    void require_no_step(const char* tried) const;

    int32_t multiprocessors() const {
        return properties_.multiprocessors;
    }

private:
    void copy_on_device(const view& dst, const view& src);
    void apply(const transform& t, void* to, void* from, void* workspace);
    // Into the stream or the step; `from_host` where the bytes may be gone when this returns.
    void copy_dense(void* to, const void* from, int64_t bytes, bool from_host);

    int32_t index_;
    device_properties properties_;
    stream stream_ = nullptr;
    stream copies_ = nullptr;  // uploads, while the other one computes
    matmul matmul_;
    fft fft_;
    step_graph step_;
};

// Blocks of `size` that cover `count`; throws where a grid cannot have that many.
inline unsigned blocks_for(int64_t count, int64_t size) {
    const int64_t blocks = (count + size - 1) / size;
    if (blocks > 0x7fffffff) fail_unsupported("a tensor is too large for one CUDA launch");
    return unsigned(blocks);
}

}  // namespace mim::cuda
