#include "op_test.h"

#include <cstdlib>
#include <cstring>
#include <deque>

#include "core/dtype.h"

namespace mim::test {

namespace {

double round_to(int32_t dtype, double value) {
    switch (dtype) {
        case MIM_F32:
            return float(value);
        case MIM_BF16:
            return float(bf16(float(value)));
        default:
            return double(int64_t(value));
    }
}

void put(int32_t dtype, void* memory, int64_t i, double value) {
    switch (dtype) {
        case MIM_F32:
            static_cast<float*>(memory)[i] = float(value);
            break;
        case MIM_BF16:
            static_cast<bf16*>(memory)[i] = bf16(float(value));
            break;
        case MIM_I32:
            static_cast<int32_t*>(memory)[i] = int32_t(value);
            break;
        case MIM_I64:
            static_cast<int64_t*>(memory)[i] = int64_t(value);
            break;
        case MIM_U8:
            static_cast<uint8_t*>(memory)[i] = uint8_t(value);
            break;
    }
}

double get(int32_t dtype, const void* memory, int64_t i) {
    switch (dtype) {
        case MIM_F32:
            return static_cast<const float*>(memory)[i];
        case MIM_BF16:
            return float(static_cast<const bf16*>(memory)[i]);
        case MIM_I32:
            return static_cast<const int32_t*>(memory)[i];
        case MIM_I64:
            return double(static_cast<const int64_t*>(memory)[i]);
        case MIM_U8:
            return static_cast<const uint8_t*>(memory)[i];
        default:
            return NAN;
    }
}

mim_view dense_view(const std::vector<int64_t>& shape, int32_t dtype, int32_t device, void* data) {
    mim_view v = {};
    v.size = sizeof v;
    v.dtype = dtype;
    v.device = device;
    v.rank = int32_t(shape.size());
    v.data = data;
    int64_t stride = 1;
    for (int32_t i = v.rank - 1; i >= 0; --i) {
        v.shape[i] = shape[size_t(i)];
        v.stride[i] = stride;
        stride *= shape[size_t(i)];
    }
    return v;
}

}  // namespace

// The memory lies between red zones of its own allocation, so that a sanitizer sees a kernel that
// leaves it.
struct tensor::storage {
    mim_context* ctx;
    mim_buffer* buffer = nullptr;
    std::vector<int64_t> shape;
    int32_t dtype, device;
    int64_t count;
    mutable std::vector<double> mirror;
    mutable bool host_newer = true, device_newer = false;
    std::deque<mim_view> views;

    ~storage() { mim_buffer_destroy(buffer); }

    mim_view whole() const { return dense_view(shape, dtype, device, mim_buffer_data(buffer)); }

    void transfer(bool to_device) const {
        std::vector<unsigned char> bytes(size_t(count * dtype_bytes(dtype)));
        if (to_device)
            for (int64_t i = 0; i < count; ++i) put(dtype, bytes.data(), i, mirror[size_t(i)]);
        const mim_view host = dense_view(shape, dtype, MIM_CPU, bytes.data()), there = whole();
        ASSERT_EQ(MIM_OK, to_device ? mim_copy(ctx, &there, &host) : mim_copy(ctx, &host, &there))
            << mim_last_error();
        ASSERT_EQ(MIM_OK, mim_context_synchronize(ctx));
        if (!to_device)
            for (int64_t i = 0; i < count; ++i) mirror[size_t(i)] = get(dtype, bytes.data(), i);
    }
    void fetch() const {
        if (device_newer) transfer(false);
        device_newer = false;
    }
};

tensor::tensor(harness& t, std::vector<int64_t> shape, int32_t dtype, std::vector<double> values)
    : s_(std::make_shared<storage>()) {
    s_->ctx = t.ctx();
    s_->shape = std::move(shape);
    s_->dtype = dtype;
    s_->device = t.device();
    s_->count = 1;
    for (const int64_t n : s_->shape) s_->count *= n;
    for (double& v : values) v = round_to(dtype, v);
    s_->mirror = std::move(values);
    if (int64_t(s_->mirror.size()) != s_->count)
        throw std::logic_error("a test tensor has the wrong number of values");
    if (mim_buffer_create(t.ctx(), &s_->buffer, s_->count * dtype_bytes(dtype)) != MIM_OK)
        throw std::runtime_error(mim_last_error());
}

const std::vector<int64_t>& tensor::shape() const {
    return s_->shape;
}
int64_t tensor::size() const {
    return s_->count;
}
int32_t tensor::dtype() const {
    return s_->dtype;
}

int64_t tensor::offset(std::initializer_list<int64_t> index) const {
    if (index.size() != s_->shape.size())
        throw std::logic_error("a test tensor was read with the wrong rank");
    int64_t flat = 0;
    size_t axis = 0;
    for (const int64_t i : index) flat = flat * s_->shape[axis++] + i;
    return flat;
}

double tensor::at(int64_t flat) const {
    s_->fetch();
    return s_->mirror.at(size_t(flat));
}

void tensor::set(int64_t flat, double value) {
    s_->fetch();
    s_->mirror.at(size_t(flat)) = round_to(s_->dtype, value);
    s_->host_newer = true;
}

std::vector<double> tensor::values() const {
    s_->fetch();
    return s_->mirror;
}

const mim_view* tensor::keep(const mim_view& v) {
    if (s_->host_newer) s_->transfer(true);
    s_->host_newer = false;
    s_->device_newer = true;  // the op may write
    s_->views.push_back(v);
    return &s_->views.back();
}

const mim_view* tensor::view() {
    return keep(s_->whole());
}

const mim_view* tensor::reshaped(std::initializer_list<int64_t> shape) {
    return keep(dense_view(shape, s_->dtype, s_->device, mim_buffer_data(s_->buffer)));
}

const mim_view* tensor::permuted(std::initializer_list<int> axes) {
    const mim_view from = s_->whole();
    mim_view to = from;
    int i = 0;
    for (const int axis : axes) {
        to.shape[i] = from.shape[axis];
        to.stride[i++] = from.stride[axis];
    }
    return keep(to);
}

const mim_view* tensor::slice(int axis, int64_t begin, int64_t end) {
    mim_view v = s_->whole();
    v.shape[axis] = end - begin;
    v.data = static_cast<char*>(v.data) + begin * v.stride[axis] * dtype_bytes(v.dtype);
    return keep(v);
}

harness::harness(int32_t device, int32_t dtype, uint64_t seed)
    : device_(device), dtype_(dtype), state_(seed) {
    const mim_context_params params = {sizeof params, device, 0, 2};
    if (mim_context_create(&ctx_, &params) != MIM_OK) throw std::runtime_error(mim_last_error());
}

harness::~harness() {
    mim_context_destroy(ctx_);
}

double harness::uniform() {  // splitmix64
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return double((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

double harness::normal() {
    return std::sqrt(-2.0 * std::log(1.0 - uniform())) * std::cos(6.283185307179586 * uniform());
}

static int64_t product(const std::vector<int64_t>& shape) {
    int64_t n = 1;
    for (const int64_t s : shape) n *= s;
    return n;
}

tensor harness::with_values(std::vector<int64_t> shape, std::vector<double> values, int32_t dtype) {
    return tensor(*this, std::move(shape), dtype, std::move(values));
}

tensor harness::random(std::vector<int64_t> shape, double scale) {
    std::vector<double> values(size_t(product(shape)));
    for (double& v : values) v = scale * normal();
    return with_values(std::move(shape), std::move(values), dtype_);
}

tensor harness::random_f32(std::vector<int64_t> shape, double scale) {
    std::vector<double> values(size_t(product(shape)));
    for (double& v : values) v = scale * normal();
    return with_values(std::move(shape), std::move(values), MIM_F32);
}

tensor harness::filled(std::vector<int64_t> shape, double value) {
    const size_t n = size_t(product(shape));
    return with_values(std::move(shape), std::vector<double>(n, value), dtype_);
}

tensor harness::filled_f32(std::vector<int64_t> shape, double value) {
    const size_t n = size_t(product(shape));
    return with_values(std::move(shape), std::vector<double>(n, value), MIM_F32);
}

tensor harness::integers(std::vector<int64_t> shape, std::vector<int64_t> values, int32_t dtype) {
    return with_values(std::move(shape), std::vector<double>(values.begin(), values.end()), dtype);
}

std::vector<int64_t> harness::permutation(int64_t n) {
    std::vector<int64_t> p(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) p[size_t(i)] = i;
    for (int64_t i = n - 1; i > 0; --i)
        std::swap(p[size_t(i)], p[size_t(uniform() * double(i + 1))]);
    return p;
}

void harness::ok(mim_status status) {
    ASSERT_EQ(MIM_OK, status) << mim_last_error();
}

void harness::fails(mim_status status, mim_status expected,
                    std::initializer_list<std::string> words) {
    ASSERT_EQ(expected, status) << mim_last_error();
    for (const std::string& word : words)
        EXPECT_NE(std::string::npos, std::string(mim_last_error()).find(word))
            << "expected \"" << word << "\" in: " << mim_last_error();
}

void harness::near(const std::string& name, double got, double want) {
    sums& s = gathered_[name];
    const double error = std::fabs(got - want);
    if (!std::isfinite(got)) s.finite = false;
    s.error2 += error * error;
    s.want2 += want * want;
    s.worst = std::max(s.worst, error);
    ++s.count;
}

void harness::near(const std::string& name, const tensor& got, const std::vector<double>& want) {
    ASSERT_EQ(size_t(got.size()), want.size()) << name;
    for (size_t i = 0; i < want.size(); ++i) near(name, got.at(int64_t(i)), want[i]);
    gathered_[name].stored_f32 = got.dtype() == MIM_F32;
}

void harness::exact(const std::string& name, double got, double want) {
    EXPECT_EQ(want, got) << name;
}

void harness::tolerance(const std::string& name, double relative_norm) {
    tolerances_[name] = relative_norm;
}

void harness::directional_derivative(const std::string& name, tensor parameter,
                                     const std::vector<double>& gradient,
                                     const std::function<double()>& loss, double step,
                                     double allowed) {
    const std::vector<double> start = parameter.values();
    std::vector<double> direction(start.size());
    double length = 0;
    for (double& d : direction) {
        d = normal();
        length += d * d;
    }
    length = std::sqrt(length / double(direction.size()));
    auto move_to = [&](double h) {
        for (size_t i = 0; i < start.size(); ++i)
            parameter.set(int64_t(i), start[i] + h * direction[i] / length);
    };
    move_to(step);
    const std::vector<double> high = parameter.values();
    const double up = loss();
    move_to(-step);
    const std::vector<double> low = parameter.values();
    const double down = loss();
    double analytic = 0, scale = 0;
    for (size_t i = 0; i < start.size(); ++i) {
        analytic += gradient[i] * (high[i] - low[i]);
        scale += gradient[i] * gradient[i] * (high[i] - low[i]) * (high[i] - low[i]);
    }
    for (size_t i = 0; i < start.size(); ++i) parameter.set(int64_t(i), start[i]);
    const double difference = std::fabs((up - down) - analytic);
    EXPECT_LE(difference, allowed * std::max(std::sqrt(scale), std::fabs(analytic)) + 1e-9)
        << name << ": finite difference " << (up - down) << ", analytic " << analytic;
}

void harness::finish() {
    // What rounding normal numbers to bf16 does to their norm: the least that plain bf16 arithmetic
    // is off by. Ops are allowed twice that for outputs and three times for gradients.
    constexpr double rounding = 1.7e-3;
    for (const auto& [name, s] : gathered_) {
        const auto own = tolerances_.find(name);
        const double standard = dtype_ != MIM_BF16 || s.stored_f32 ? 4e-6
                                : name.front() == 'd'              ? 3 * rounding
                                                                   : 2 * rounding;
        const double allowed = own == tolerances_.end() ? standard : own->second;
        const double norm = std::sqrt(s.want2), rms = std::sqrt(s.want2 / double(s.count));
        EXPECT_TRUE(s.finite) << name << " holds a value that is not finite";
        EXPECT_LE(std::sqrt(s.error2), allowed * norm + 1e-30)
            << name << ": relative L2 error " << std::sqrt(s.error2) / norm;
        EXPECT_LE(s.worst, 40 * allowed * rms + 1e-30)
            << name << ": the worst element is off by " << s.worst;
    }
}

double dot(const tensor& a, const tensor& b) {
    return dot(a.values(), b.values());
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b.at(i);
    return sum;
}

// Without a CUDA library of its own, a build tests the emulated device.
std::vector<int32_t> devices_present() {
#ifdef MIM_CUDA_EMULATED
    setenv("MIM_CUDA_LIBRARY", MIM_CUDA_EMULATED, /*overwrite=*/0);
#endif
    std::vector<int32_t> present;
    for (const int32_t device : {MIM_CPU, MIM_CUDA}) {
        mim_context* ctx = nullptr;
        const mim_context_params params = {sizeof params, device, 0, 1};
        if (mim_context_create(&ctx, &params) == MIM_OK) present.push_back(device);
        mim_context_destroy(ctx);
    }
    return present;
}

namespace {

std::string device_name(int32_t device) {
    if (device == MIM_CPU) return "cpu";
    static const bool is_emulated = [] {
        mim_context* ctx = nullptr;
        const mim_context_params params = {sizeof params, MIM_CUDA, 0, 1};
        if (mim_context_create(&ctx, &params) != MIM_OK) throw std::runtime_error(mim_last_error());
        const std::string description = mim_context_description(ctx);
        mim_context_destroy(ctx);
        return description.find("emulated") != std::string::npos;
    }();
    return is_emulated ? "cuda_emulated" : "cuda";
}

class op_case final : public testing::Test {
public:
    op_case(int32_t device, int32_t dtype, uint64_t seed, std::function<void(harness&)> body)
        : device_(device), dtype_(dtype), seed_(seed), body_(std::move(body)) {}
    void TestBody() override {
        harness t(device_, dtype_, seed_);
        body_(t);
        t.finish();
    }

private:
    int32_t device_, dtype_;
    uint64_t seed_;
    std::function<void(harness&)> body_;
};

}  // namespace

void register_case(const char* op, const char* file, int line, int32_t only_device, int32_t dtype,
                   const std::vector<int64_t>& arguments, std::function<void(harness&)> body,
                   const char* ending) {
    static const std::vector<int32_t> devices = devices_present();
    // MIM_TEST_SEED=n draws other inputs than every day
    static const char* const other = std::getenv("MIM_TEST_SEED");
    std::string name = dtype_name(dtype);
    uint64_t seed =
        0xcbf29ce484222325ull ^ (other == nullptr ? 0 : std::strtoull(other, nullptr, 10));
    for (const char* c = op; *c; ++c) seed = (seed ^ uint64_t(*c)) * 0x100000001b3ull;
    for (const int64_t a : arguments) {
        name.append("_").append(std::to_string(a));
        seed = (seed ^ uint64_t(a)) * 0x100000001b3ull;
    }
    for (const int32_t device : devices) {
        if (only_device != every_device && device != only_device) continue;
        const std::string full = device_name(device) + "_" + name + ending;
        testing::RegisterTest(
            op, full.c_str(), nullptr, nullptr, file, line,
            [=]() -> testing::Test* { return new op_case(device, dtype, seed, body); });
    }
}

}  // namespace mim::test
