// The perceptron of a block. Between its layers lie four times as many numbers as before and behind
// them; they pass through scratch a piece of rows at a time, so that what one product leaves is
// still in the cache when the GELU and the next product read it. Forward keeps `pre` alone; backward
// makes gelu(pre) and its derivative in one pass, which share all of their work but two
// multiplications.
#include "cpu/column_sums.h"
#include "cpu/matmul.h"
#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/mlp.cpp"
#include "hwy/foreach_target.h"

#include "cpu/gelu-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

constexpr int64_t rows_per_block = 4;

// h = gelu(pre)
void mlp_activate(context& ctx, const view& h, const view& pre) {
    const int64_t cols = pre.shape[1];
    dispatch_dtype(pre.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_for(ctx, pre.shape[0] * cols, rows_per_block * cols,
                     [&](int64_t begin, int64_t end) HWY_ATTR {
                         const float_lanes d;
                         const T* from = data<T>(pre);
                         T* to = data<T>(h);
                         for (int64_t i = begin; i < end; i += lane_count())
                             store_some(gelu(d, load_some(d, from + i, end - i)), d, to + i,
                                        end - i);
                     });
    });
}

// h = gelu(pre), dpre = dh gelu'(pre) in the memory of dh. The sums gather dpre's columns before it
// is rounded to its storage.
void mlp_deactivate(context& ctx, const view& h, const view& dh, const column_sums& sums,
                    const view& pre) {
    const int64_t rows = pre.shape[0], cols = pre.shape[1];
    dispatch_dtype(pre.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_ranges(
            ctx, rows, rows_per_block, [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
                const float_lanes d;
                float* sum = sums.part(thread);
                for (int64_t r = begin; r < end; ++r) {
                    const T* saved = data<T>(pre) + r * cols;
                    T *gradient = data<T>(dh) + r * cols, *activation = data<T>(h) + r * cols;
                    for (int64_t n = 0; n < cols; n += lane_count()) {
                        const int64_t left = cols - n;
                        const gelu_and_derivative g = gelu_both(d, load_some(d, saved + n, left));
                        const float_vector v =
                            hn::Mul(load_some(d, gradient + n, left), g.derivative);
                        store_some(g.value, d, activation + n, left);
                        store_some(v, d, gradient + n, left);
                        if (sum != nullptr)
                            store_some(hn::Add(load_some(d, sum + n, left), v), d, sum + n, left);
                    }
                }
            });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(mlp_activate);
HWY_EXPORT(mlp_deactivate);

namespace {

// Bytes of the hidden layer in a piece: it and its gradient stay in the last-level cache, and there
// are rows enough for the weights' gradients, which each piece adds to once more.
constexpr int64_t bytes_per_piece = int64_t(8) << 20;

int64_t rows_per_piece(const view& w1, int64_t rows) {
    const int64_t most =
        std::max<int64_t>(256, bytes_per_piece / (w1.shape[0] * int64_t(dtype_bytes(w1.dtype))));
    const int64_t pieces = (rows + most - 1) / most;  // of nearly equal size, in whole tiles
    return std::min(rows, ((rows + pieces - 1) / pieces + 31) / 32 * 32);
}

view rows_of(const view& v, int64_t begin, int64_t rows) {
    view part = v;
    part.data = static_cast<char*>(v.data) + begin * v.stride[0] * int64_t(dtype_bytes(v.dtype));
    part.shape[0] = rows;
    return part;
}

view dense_rows(const view& like, void* data, int64_t rows, int64_t cols) {
    view v = like;
    v.rank = 2;
    v.data = data;
    v.shape[0] = rows;
    v.shape[1] = v.stride[0] = cols;
    v.stride[1] = 1;
    return v;
}

// c (M, N) = a (M, K) b (K, N), from and to rows
std::shared_ptr<const matmul> product(const context& ctx, const view& c, const view& a,
                                      const matrix_layout& b, int64_t n, int64_t k, bool bias) {
    return matmul::of({.m = a.shape[0],
                       .n = n,
                       .k = k,
                       .c = layout_of(c),
                       .a = layout_of(a),
                       .b = b,
                       .bias = bias,
                       .threads = ctx.threads()});
}

// dw (N, K) += dy^T (N, R) x (R, K)
std::shared_ptr<const matmul> weight_product(const context& ctx, const view& dw, const view& dy,
                                             const view& x) {
    return matmul::of({.m = dw.shape[0],
                       .n = dw.shape[1],
                       .k = x.shape[0],
                       .c = layout_of(dw),
                       .a = layout_of(dy).transposed(),
                       .b = layout_of(x),
                       .accumulate = true,
                       .threads = ctx.threads()});
}

}  // namespace

void processor::mlp_forward(context& ctx, const view& y, const view* pre, const view& x,
                            const view& w1, const view* bias1, const view& w2, const view* bias2) {
    const int64_t rows = x.shape[0], inputs = w1.shape[1], hidden = w1.shape[0],
                  outputs = w2.shape[0], most = rows_per_piece(w1, rows);
    char* h_data = ctx.scratch<char>(most * hidden * int64_t(dtype_bytes(w1.dtype)));
    struct piece {
        view y, x, pre, h;
        std::shared_ptr<const matmul> first, second;
    };
    const auto piece_at = [&](int64_t begin) {
        const int64_t count = std::min(most, rows - begin);
        piece p{rows_of(y, begin, count), rows_of(x, begin, count), {}, {}, {}, {}};
        p.h = dense_rows(w1, h_data, count, hidden);
        p.pre = pre == nullptr ? p.h : rows_of(*pre, begin, count);
        p.first =
            product(ctx, p.pre, p.x, layout_of(w1).transposed(), hidden, inputs, bias1 != nullptr);
        p.second =
            product(ctx, p.y, p.h, layout_of(w2).transposed(), outputs, hidden, bias2 != nullptr);
        return p;
    };
    int64_t bytes = 0;
    for (int64_t begin = 0; begin < rows; begin += most) {
        const piece p = piece_at(begin);
        bytes = std::max({bytes, p.first->scratch_bytes(), p.second->scratch_bytes()});
    }
    void* scratch = ctx.scratch<char>(bytes);
    if (ctx.planning()) return;

    for (int64_t begin = 0; begin < rows; begin += most) {
        const piece p = piece_at(begin);
        p.first->run(p.pre.data, p.x.data, w1.data, data<float>(bias1), scratch);
        HWY_DYNAMIC_DISPATCH(mlp_activate)(ctx, p.h, p.pre);
        p.second->run(p.y.data, p.h.data, w2.data, data<float>(bias2), scratch);
    }
}

void processor::mlp_backward(context& ctx, const view* dx, const view& dw1, const view* dbias1,
                             const view& dw2, const view* dbias2, const view& dy, const view& x,
                             const view& pre, const view& w1, const view& w2) {
    const int64_t rows = x.shape[0], inputs = w1.shape[1], hidden = w1.shape[0],
                  outputs = w2.shape[0], most = rows_per_piece(w1, rows);
    const int64_t piece_bytes = most * hidden * int64_t(dtype_bytes(w1.dtype));
    char* h_data = ctx.scratch<char>(piece_bytes);
    char* dh_data = ctx.scratch<char>(piece_bytes);
    column_sums sums1(ctx, hidden, dbias1 != nullptr), sums2(ctx, outputs, dbias2 != nullptr);
    struct piece {
        view dy, x, pre, h, dh, dx;
        std::shared_ptr<const matmul> dh_product, dw2_product, dw1_product, dx_product;
    };
    const auto piece_at = [&](int64_t begin) {
        const int64_t count = std::min(most, rows - begin);
        piece p;
        p.dy = rows_of(dy, begin, count);
        p.x = rows_of(x, begin, count);
        p.pre = rows_of(pre, begin, count);
        p.h = dense_rows(w1, h_data, count, hidden);
        p.dh = dense_rows(w1, dh_data, count, hidden);
        p.dh_product = product(ctx, p.dh, p.dy, layout_of(w2), hidden, outputs, false);
        p.dw2_product = weight_product(ctx, dw2, p.dy, p.h);
        p.dw1_product = weight_product(ctx, dw1, p.dh, p.x);
        if (dx != nullptr) {
            p.dx = rows_of(*dx, begin, count);
            p.dx_product = product(ctx, p.dx, p.dh, layout_of(w1), inputs, hidden, false);
        }
        return p;
    };
    int64_t bytes = 0;
    for (int64_t begin = 0; begin < rows; begin += most) {
        const piece p = piece_at(begin);
        for (const matmul* used :
             {p.dh_product.get(), p.dw2_product.get(), p.dw1_product.get(), p.dx_product.get()})
            if (used != nullptr) bytes = std::max(bytes, used->scratch_bytes());
    }
    void* scratch = ctx.scratch<char>(bytes);
    if (ctx.planning()) return;

    sums1.clear();
    sums2.clear();
    sums2.add_rows(ctx, dy);
    for (int64_t begin = 0; begin < rows; begin += most) {
        const piece p = piece_at(begin);
        p.dh_product->run(p.dh.data, p.dy.data, w2.data, nullptr, scratch);
        HWY_DYNAMIC_DISPATCH(mlp_deactivate)(ctx, p.h, p.dh, sums1, p.pre);  // dh becomes dpre
        p.dw2_product->run(dw2.data, p.dy.data, p.h.data, nullptr, scratch);
        if (p.dx_product) p.dx_product->run(p.dx.data, p.dh.data, w1.data, nullptr, scratch);
        p.dw1_product->run(dw1.data, p.dh.data, p.x.data, nullptr, scratch);
    }
    sums1.add_to(ctx, data<float>(dbias1));
    sums2.add_to(ctx, data<float>(dbias2));
}

}  // namespace mim::cpu
#endif
