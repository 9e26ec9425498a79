#include "cpu/matmul.h"

#include <omp.h>

#include <algorithm>
#include <dnnl.hpp>
#include <map>
#include <mutex>
#include <new>
#include <unordered_map>

#include "core/dtype.h"
#include "cpu/thin_product.h"
#include "cpu/widened_product.h"

namespace mim::cpu {

namespace {

// Shapes in use at once are few (one set per model and batch size). A program that goes on making
// new ones starts over here, so that compiled code cannot pile up.
constexpr size_t cache_capacity = 1024;

const dnnl::engine& processor_engine() {
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

// Threads that OpenMP can give to the calling thread: oneDNN believes any number it is told, and
// leaves out the share of threads that never came.
int32_t obtainable(int32_t threads) {
    if (omp_get_active_level() >= omp_get_max_active_levels())
        return 1;  // the caller is a member of a team
    return std::min(threads, omp_get_thread_limit());
}

// oneDNN splits its work by what OpenMP would give to the calling thread. Within this scope that is
// the product's number of threads, whatever OMP_NUM_THREADS and OMP_DYNAMIC say.
class thread_scope {
public:
    explicit thread_scope(int32_t threads)
        : threads_(omp_get_max_threads()), dynamic_(omp_get_dynamic()) {
        omp_set_dynamic(0);
        omp_set_num_threads(threads);
    }
    ~thread_scope() {
        omp_set_num_threads(threads_);
        omp_set_dynamic(dynamic_);
    }
    thread_scope(const thread_scope&) = delete;
    thread_scope& operator=(const thread_scope&) = delete;

private:
    int threads_, dynamic_;
};

dnnl::memory::desc describe(int64_t rows, int64_t cols, const matrix_layout& layout) {
    using type = dnnl::memory::data_type;
    return {{rows, cols},
            layout.dtype == MIM_BF16 ? type::bf16 : type::f32,
            {layout.row_stride, layout.column_stride}};
}

dnnl::primitive_attr attributes(const matrix_product& product) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    // f32 stays f32, whatever the environment asks for
    attributes.set_fpmath_mode(dnnl::fpmath_mode::strict);
    if (product.accumulate) {
        dnnl::post_ops post;
        post.append_sum(1.0f);
        attributes.set_post_ops(post);
    }
    return attributes;
}

// The one place where oneDNN 2 and 3 differ: version 2 puts the operands into an operation
// descriptor first.
dnnl::matmul::primitive_desc compile(const matrix_product& p) {
    const dnnl::engine& engine = processor_engine();
    const dnnl::primitive_attr attr = attributes(p);
    const dnnl::memory::desc c = describe(p.m, p.n, p.c), a = describe(p.m, p.k, p.a),
                             b = describe(p.k, p.n, p.b);
    const dnnl::memory::desc bias = describe(1, p.n, {MIM_F32, p.n, 1});
#if DNNL_VERSION_MAJOR >= 3
    if (p.bias) return {engine, a, b, bias, c, attr};
    return {engine, a, b, c, attr};
#else
    if (p.bias) return {dnnl::matmul::desc(a, b, bias, c), attr, engine};
    return {dnnl::matmul::desc(a, b, c), attr, engine};
#endif
}

// oneDNN has an older f32 product beside its matmul primitive, which is up to 1.8 times as fast where
// rows of the result are long and b lies row by row: gradients of wide layers. The choice depends on
// sizes alone, so a product has the same bits every time.
bool is_for_gemm(const matrix_product& p) {
    constexpr int64_t wide = 1024, half_wide = 768, deep = 2048;
    const bool is_f32 = p.a.dtype == MIM_F32 && p.b.dtype == MIM_F32 && p.c.dtype == MIM_F32;
    const bool is_wide = p.n >= wide || (p.n >= half_wide && std::max(p.m, p.k) >= deep);
    return is_f32 && is_wide && !p.bias && p.c.column_stride == 1 && p.b.column_stride == 1;
}

void gemm(const matrix_product& p, void* c, const void* a, const void* b) {
    const bool turned = p.a.column_stride != 1;
    const dnnl::status status = dnnl::sgemm(
        turned ? 'T' : 'N', 'N', p.m, p.n, p.k, 1.0f, static_cast<const float*>(a),
        turned ? p.a.column_stride : p.a.row_stride, static_cast<const float*>(b), p.b.row_stride,
        p.accumulate ? 1.0f : 0.0f, static_cast<float*>(c), p.c.row_stride);
    if (status != dnnl::status::success)
        throw std::runtime_error(matrix_library() + " failed in its f32 product");
}

bool has_bf16(const matrix_product& p) {
    return p.a.dtype == MIM_BF16 || p.b.dtype == MIM_BF16 || p.c.dtype == MIM_BF16;
}

}  // namespace

std::string matrix_library() {
    const dnnl_version_t* version = dnnl::version();
    return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
           std::to_string(version->patch);
}

bool limit_matmul(level most) {
    using dnnl::cpu_isa;
    const cpu_isa isa = most == level::avx512_bf16 ? cpu_isa::avx512_core_bf16
                        : most == level::avx512    ? cpu_isa::avx512_core
                                                   : cpu_isa::avx2;
    return dnnl::set_max_cpu_isa(isa) == dnnl::status::success;
}

struct matmul::primitive {
    explicit primitive(const matrix_product& product)
        : descriptor(compile(product)), code(descriptor) {}

    dnnl::matmul::primitive_desc descriptor;
    dnnl::matmul code;
};

matmul::matmul(const matrix_product& product) : product_(product) {
    if (is_thin(product) || is_for_gemm(product)) return;
    const thread_scope scope(product.threads);
    try {
        primitive_ = std::make_unique<const primitive>(product);
    } catch (const dnnl::error& e) {
        if (e.status == dnnl_out_of_memory) throw std::bad_alloc();
        if (e.status != dnnl_unimplemented || !has_bf16(product))
            throw std::runtime_error(matrix_library() + " failed: " + e.what());
        widened_ = std::make_unique<const widened_product>(product);
    }
}

matmul::~matmul() = default;

std::shared_ptr<const matmul> matmul::of(matrix_product product) {
    product.threads = obtainable(product.threads);
    static std::mutex mutex;
    static std::map<matrix_product, std::shared_ptr<const matmul>> cache;
    const std::lock_guard lock(mutex);
    const auto found = cache.find(product);
    if (found != cache.end()) return found->second;
    if (cache.size() >= cache_capacity) cache.clear();
    return cache[product] = std::make_shared<const matmul>(product);
}

int64_t matmul::scratch_bytes() const {
    if (widened_ != nullptr) return widened_->scratch_bytes();
    return primitive_ == nullptr ? 0 : int64_t(primitive_->descriptor.scratchpad_desc().get_size());
}

void matmul::run(void* c, const void* a, const void* b, const float* bias, void* scratch) const {
    if (is_thin(product_)) return thin_product(product_, c, a, b, bias);
    if (widened_ != nullptr) return widened_->run(c, a, b, bias, scratch);
    const thread_scope scope(product_.threads);
    if (primitive_ == nullptr) return gemm(product_, c, a, b);
    const dnnl::engine& engine = processor_engine();
    const auto& d = primitive_->descriptor;
    const auto memory = [&](const dnnl::memory::desc& layout, const void* data) {
        return dnnl::memory(layout, engine,
                            const_cast<void*>(data));  // dnnl::memory knows no const
    };
    try {
        std::unordered_map<int, dnnl::memory> arguments = {
            {DNNL_ARG_SRC, memory(d.src_desc(), a)},
            {DNNL_ARG_WEIGHTS, memory(d.weights_desc(), b)},
            {DNNL_ARG_DST, memory(d.dst_desc(), c)},
            {DNNL_ARG_SCRATCHPAD, memory(d.scratchpad_desc(), scratch)}};
        if (bias != nullptr) arguments.emplace(DNNL_ARG_BIAS, memory(d.bias_desc(), bias));
        dnnl::stream stream(engine);
        primitive_->code.execute(stream, arguments);
        stream.wait();
    } catch (const dnnl::error& e) {
        throw std::runtime_error(matrix_library() + " failed: " + e.what());
    }
}

}  // namespace mim::cpu
