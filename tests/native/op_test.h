// The harness of the op tests: one body, run on every backend present and for each dtype that the
// cases name.
//
//     OP_TEST(layer_scale, int64_t rows, int64_t cols) { ... uses t ... }
//     OP_CASES(layer_scale, {1, 1}, {3, 7}, {197, 768});        // f32
//     OP_CASES_BF16(layer_scale, {3, 7});                  // the same, t.dtype() == MIM_BF16
//     OP_CASES_ON(MIM_CUDA, layer_scale, {1, 1}), OP_CASES_BF16_ON       // for one device alone
//     OP_CASES_LARGE(layer_scale, {394, 768}), OP_CASES_BF16_LARGE       // named ..._large
//
// Large cases are left out where code is slow (tests/native/sanitized): real sizes take it through no other lines than small and odd
// ones do.
//
// Inputs are rounded to their dtype and read back as double, so a reference sees what the kernel
// sees. Errors are gathered per name (t.near) and judged at the end: the relative L2 norm, and the
// largest single error against the root mean square of what was wanted.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mim/mim.h"

namespace mim::test {

class harness;

// A tensor on the backend with a mirror of doubles on the host. Handed to an op it becomes a view;
// read with indices it shows what the device holds.
class tensor {
public:
    tensor(harness& t, std::vector<int64_t> shape, int32_t dtype, std::vector<double> values);

    const std::vector<int64_t>& shape() const;
    int64_t size() const;
    int32_t dtype() const;

    template <class... Index>
    double operator()(Index... index) const {
        return at(offset({int64_t(index)...}));
    }
    double at(int64_t flat) const;         // the element at a flat, row-major index
    void set(int64_t flat, double value);  // rounded to the dtype
    std::vector<double> values() const;

    // The view for an op. Reading again after this fetches from the device.
    const mim_view* view();
    operator const mim_view*() { return view(); }
    // Views of the same memory with another shape; with axes in another order.
    const mim_view* reshaped(std::initializer_list<int64_t> shape);
    const mim_view* permuted(std::initializer_list<int> axes);
    // The part [begin, end) along an axis, as a strided view.
    const mim_view* slice(int axis, int64_t begin, int64_t end);

private:
    struct storage;
    std::shared_ptr<storage> s_;
    int64_t offset(std::initializer_list<int64_t> index) const;
    const mim_view* keep(const mim_view& v);
};

class harness {
public:
    harness(int32_t device, int32_t dtype, uint64_t seed);
    ~harness();
    harness(const harness&) = delete;
    harness& operator=(const harness&) = delete;

    mim_context* ctx() const { return ctx_; }
    int32_t dtype() const { return dtype_; }
    int32_t device() const { return device_; }

    // Normal random values in the compute dtype of the case / in f32 (weights, statistics); values
    // as given.
    tensor random(std::vector<int64_t> shape, double scale = 1.0);
    tensor random_f32(std::vector<int64_t> shape, double scale = 1.0);
    tensor filled(std::vector<int64_t> shape, double value);
    tensor filled_f32(std::vector<int64_t> shape, double value);
    tensor integers(std::vector<int64_t> shape, std::vector<int64_t> values,
                    int32_t dtype = MIM_I32);
    tensor with_values(std::vector<int64_t> shape, std::vector<double> values, int32_t dtype);
    std::vector<int64_t> permutation(int64_t n);
    double uniform();
    double normal();

    // The call must succeed / must fail with this status and a message that contains every given
    // word.
    void ok(mim_status status);
    void fails(mim_status status, mim_status expected, std::initializer_list<std::string> words);

    // Gathers an error. Tolerances: tolerance(name, t) sets the relative L2 norm that is allowed
    // for a name; the default is 4e-6 for f32 and for f32 tensors of bf16 cases, otherwise 3.4e-3
    // for bf16, or 5.1e-3 for gradients (names that begin with d): two and three times what plain
    // bf16 arithmetic is off by at the least. A single element may be off by 40 times that,
    // relative to the root mean square.
    void near(const std::string& name, double got, double want);
    void near(const std::string& name, const tensor& got, const std::vector<double>& want);
    void exact(const std::string& name, double got, double want);
    void tolerance(const std::string& name, double relative_norm);

    // Finite differences: d(loss)/d(parameter along a random direction), by a central difference of
    // `loss` (a function of the tensors' current values; it should return a double sum), against
    // <gradient, direction>. `gradient` holds the analytic gradient of `parameter`.
    void directional_derivative(const std::string& name, tensor parameter,
                                const std::vector<double>& gradient,
                                const std::function<double()>& loss, double step = 1e-2,
                                double allowed = 2e-3);

    void finish();  // judges what was gathered

private:
    struct sums {
        double error2 = 0, want2 = 0, worst = 0;
        int64_t count = 0;
        bool finite = true, stored_f32 = false;
    };
    mim_context* ctx_ = nullptr;
    int32_t device_, dtype_;
    uint64_t state_;
    std::map<std::string, sums> gathered_;
    std::map<std::string, double> tolerances_;
};

// sum of a * b, in double
double dot(const tensor& a, const tensor& b);
double dot(const std::vector<double>& a, const std::vector<double>& b);

std::vector<int32_t> devices_present();

constexpr int32_t every_device = -1;

void register_case(const char* op, const char* file, int line, int32_t only_device, int32_t dtype,
                   const std::vector<int64_t>& arguments, std::function<void(harness&)> body,
                   const char* ending);

template <class... A, size_t... I>
std::function<void(harness&)> bind_case(void (*body)(harness&, A...), const std::vector<int64_t>& v,
                                        std::index_sequence<I...>) {
    return [body, v](harness& t) { body(t, A(v[I])...); };
}

template <class... A>
bool register_cases(const char* op, const char* file, int line, int32_t only_device, int32_t dtype,
                    void (*body)(harness&, A...), std::initializer_list<std::vector<int64_t>> cases,
                    const char* ending = "") {
    for (const auto& c : cases) {
        if (c.size() != sizeof...(A)) {
            std::fprintf(stderr, "%s: a case has %zu arguments, expected %zu\n", op, c.size(),
                         sizeof...(A));
            std::abort();
        }
        register_case(op, file, line, only_device, dtype, c,
                      bind_case(body, c, std::index_sequence_for<A...>{}), ending);
    }
    return true;
}

#define OP_TEST(op, ...) static void op##_body(::mim::test::harness& t __VA_OPT__(, ) __VA_ARGS__)
#define MIM_OP_CASES(name, device, dtype, op, ...)                         \
    [[maybe_unused]] static const bool name = ::mim::test::register_cases( \
        #op, __FILE__, __LINE__, device, dtype, op##_body, {__VA_ARGS__})
#define OP_CASES(op, ...) \
    MIM_OP_CASES(op##_cases, ::mim::test::every_device, MIM_F32, op, __VA_ARGS__)
#define OP_CASES_BF16(op, ...) \
    MIM_OP_CASES(op##_cases_bf16, ::mim::test::every_device, MIM_BF16, op, __VA_ARGS__)
#define OP_CASES_ON(device, op, ...) \
    MIM_OP_CASES(op##_cases_on_##device, device, MIM_F32, op, __VA_ARGS__)
#define OP_CASES_BF16_ON(device, op, ...) \
    MIM_OP_CASES(op##_cases_bf16_on_##device, device, MIM_BF16, op, __VA_ARGS__)

#define OP_CASES_LARGE(op, ...)                                                                  \
    [[maybe_unused]] static const bool op##_cases_large =                                        \
        ::mim::test::register_cases(#op, __FILE__, __LINE__, ::mim::test::every_device, MIM_F32, \
                                    op##_body, {__VA_ARGS__}, "_large")
#define OP_CASES_BF16_LARGE(op, ...)                                                              \
    [[maybe_unused]] static const bool op##_cases_bf16_large =                                    \
        ::mim::test::register_cases(#op, __FILE__, __LINE__, ::mim::test::every_device, MIM_BF16, \
                                    op##_body, {__VA_ARGS__}, "_large")

}  // namespace mim::test

using mim::test::tensor;
