// Steps that repeat (context.h): on a CUDA device they are recorded and started again, on the CPU
// they change nothing.
#include <algorithm>
#include <cstring>

#include "op_test.h"

namespace {

using numbers = std::vector<float>;

constexpr int64_t rows = 5, cols = 8, place_bytes = 1024;

// A step of training in one buffer of the device, which begins as zeros but for w. x comes from the
// host, n is noise, z = gelu(x + ...) w^T, w's gradient grows by z^T x, and AdamW moves w, so that
// every step depends on all before it.
class small_step {
public:
    explicit small_step(int32_t device) : device_(device) {
        mim::test::devices_present();  // names the emulator's library where there is one
        const mim_context_params params = {sizeof params, device, 0, 1};
        EXPECT_EQ(MIM_OK, mim_context_create(&ctx, &params)) << mim_last_error();
        EXPECT_EQ(MIM_OK, mim_buffer_create(ctx, &buffer, places * place_bytes));
        numbers weights(size_t(cols * cols));
        for (size_t i = 0; i < weights.size(); ++i) weights[i] = 0.01f * float(i % 7) - 0.02f;
        upload(at(w, cols), weights);
        upload(row(mean_std, 2), {0.5f, 0.25f});
    }
    ~small_step() {
        mim_buffer_destroy(buffer);
        mim_context_destroy(ctx);
    }
    small_step(const small_step&) = delete;
    small_step& operator=(const small_step&) = delete;

    // The ops, with everything that may be new in a step.
    void ask(float x_value, int64_t epoch = 0, int64_t count = rows) {
        const auto ok = [](mim_status status) { EXPECT_EQ(MIM_OK, status) << mim_last_error(); };
        numbers pixels(size_t(count * cols), x_value);
        for (size_t i = 0; i < pixels.size(); ++i) pixels[i] += 0.03f * float(i % 5);
        upload(at(x, count), pixels);
        std::vector<int64_t> ids(static_cast<size_t>(count), epoch + 3);
        const mim_view host_ids = {sizeof host_ids, MIM_I64, MIM_CPU, 1, {count}, {1}, ids.data()};
        const mim_view device_ids = {sizeof host_ids, MIM_I64, device_,        1,
                                     {count},         {1},     memory(samples)};
        ok(mim_copy(ctx, &device_ids, &host_ids));
        ids.assign(ids.size(), -1);
        const mim_random_params draw = {sizeof draw, 2, epoch, 100 - epoch};
        const mim_view n = at(noise, count), from = at(x, count), y = at(hidden, count);
        ok(mim_random_uniform(ctx, &n, &device_ids, &draw));
        ok(mim_gelu_forward(ctx, &y, &from));
        const mim_view weights = at(w, cols), to = at(z, count), gradient = at(dw, cols);
        ok(mim_linear_forward(ctx, &to, &y, &weights, nullptr));
        ok(mim_linear_backward(ctx, nullptr, &gradient, nullptr, &to, &n, &weights));
        const mim_view picture = image(x, count), blurred = image(low, count);
        const mim_view mean = row(mean_std, 1);
        mim_view deviation = mean;
        deviation.data = static_cast<float*>(mean.data) + 1;
        const mim_low_pass_params disc = {sizeof disc, MIM_LOW_PASS_SYMMETRIC, 2.0f};
        ok(mim_low_pass(ctx, &blurred, &picture, &mean, &deviation, &disc));
        upload(row(scalars, MIM_ADAMW_SCALARS), {0.01f * (1 + x_value * x_value), 0.1f, 0.001f});
        const mim_view p = row(w, cols * cols), m = row(moment1, cols * cols),
                       v = row(moment2, cols * cols), g = row(dw, cols * cols);
        const mim_view rate = row(scalars, MIM_ADAMW_SCALARS);
        const mim_segment whole = {0, cols * cols, 0.05f, 1};
        const mim_adamw_params params = {
            .size = sizeof params, .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .max_norm = 0};
        ok(mim_adamw_step(ctx, &p, &m, &v, nullptr, &g, nullptr, &rate, &whole, 1, &params));
    }
    bool ask_as_step(float x_value, int64_t epoch = 0, int64_t count = rows) {
        begin();
        ask(x_value, epoch, count);
        return end();
    }
    // ... again where it has to be
    void do_as_step(float x_value, int64_t epoch = 0, int64_t count = rows) {
        EXPECT_TRUE(ask_as_step(x_value, epoch, count) || ask_as_step(x_value, epoch, count));
    }
    void begin(int32_t number = 0) {
        ASSERT_EQ(MIM_OK, mim_step_begin(ctx, number)) << mim_last_error();
    }
    bool end() {
        int32_t started = -1;
        EXPECT_EQ(MIM_OK, mim_step_end(ctx, &started)) << mim_last_error();
        EXPECT_TRUE(started == 0 || started == 1);
        return started == 1;
    }

    // All memory of the step.
    numbers everything() const {
        numbers values(places * place_bytes / sizeof(float));
        const int64_t count = int64_t(values.size());
        const mim_view host = {sizeof host, MIM_F32, MIM_CPU, 1, {count}, {1}, values.data()};
        const mim_view all = row(0, count);
        EXPECT_EQ(MIM_OK, mim_copy(ctx, &host, &all)) << mim_last_error();
        EXPECT_EQ(MIM_OK, mim_context_synchronize(ctx)) << mim_last_error();
        return values;
    }
    int64_t replayed() const {
        mim_context_info info = {sizeof info};
        EXPECT_EQ(MIM_OK, mim_context_get_info(ctx, &info));
        return info.replayed_steps;
    }

    enum place {
        x,
        noise,
        samples,
        hidden,
        w,
        z,
        dw,
        low,
        mean_std,
        scalars,
        moment1,
        moment2,
        places
    };
    void* memory(int64_t at) const {
        return static_cast<char*>(mim_buffer_data(buffer)) + place_bytes * at;
    }
    mim_view at(int64_t place, int64_t count) const {
        return {sizeof(mim_view), MIM_F32, device_, 2, {count, cols}, {cols, 1}, memory(place)};
    }
    mim_view row(int64_t place, int64_t count) const {
        return {sizeof(mim_view), MIM_F32, device_, 1, {count}, {1}, memory(place)};
    }
    mim_view image(int64_t place, int64_t count) const {
        return {sizeof(mim_view),
                MIM_F32,
                device_,
                4,
                {1, 1, count, cols},
                {count * cols, count * cols, cols, 1},
                memory(place)};
    }
    void upload(mim_view to, numbers values) {
        mim_view host = to;
        host.device = MIM_CPU;
        host.data = values.data();
        EXPECT_EQ(MIM_OK, mim_copy(ctx, &to, &host)) << mim_last_error();
        values.assign(values.size(), NAN);  // it may be overwritten at once
    }

    mim_context* ctx = nullptr;
    mim_buffer* buffer = nullptr;

private:
    int32_t device_;
};

void expect_same(const numbers& want, const numbers& got) {
    EXPECT_EQ(0, std::memcmp(want.data(), got.data(), want.size() * sizeof(float)));
}

void expect_error(mim_status want, mim_status got, const char* words) {
    EXPECT_EQ(want, got);
    EXPECT_NE(std::string::npos, std::string(mim_last_error()).find(words)) << mim_last_error();
}

TEST(cuda_step, one_that_repeats_is_replayed_with_new_numbers) {
    small_step plain(MIM_CUDA), repeated(MIM_CUDA);
    for (int i = 0; i < 8; ++i) {
        const float x = 0.25f * float(i) - 0.5f;
        const int64_t epoch = i / 2;
        plain.ask(x, epoch);
        ASSERT_TRUE(repeated.ask_as_step(x, epoch)) << i;
        expect_same(plain.everything(), repeated.everything());
        EXPECT_EQ(std::max(0, i - 2), repeated.replayed());  // one as asked for, two recorded
    }
    EXPECT_EQ(0, plain.replayed());
}

TEST(cuda_step, the_host_prepares_the_next_while_the_device_works) {
    small_step plain(MIM_CUDA), repeated(MIM_CUDA);
    for (int i = 0; i < 9; ++i) {
        plain.ask(0.1f * float(i), i);
        ASSERT_TRUE(repeated.ask_as_step(0.1f * float(i), i));
    }
    EXPECT_EQ(6, repeated.replayed());
    expect_same(plain.everything(), repeated.everything());
}

TEST(cuda_step, one_that_differs_is_asked_for_again_and_replayed_then) {
    small_step plain(MIM_CUDA), repeated(MIM_CUDA);
    const auto both = [&](float x, int64_t count) {
        plain.ask(x, 0, count);
        repeated.do_as_step(x, 0, count);
    };
    for (int i = 0; i < 4; ++i) both(float(i), rows);
    EXPECT_EQ(1, repeated.replayed());
    const numbers before = repeated.everything();
    EXPECT_FALSE(repeated.ask_as_step(2, 0, 3));
    expect_same(before, repeated.everything());  // nothing was done
    for (int i = 0; i < 5; ++i) both(float(i), 3);
    EXPECT_EQ(3, repeated.replayed());
    both(1, rows);
    both(2, rows);
    EXPECT_EQ(3, repeated.replayed());
    expect_same(plain.everything(), repeated.everything());
}

// Everything that a launch keeps is compared: each of these differs in one thing alone.
TEST(cuda_step, each_call_that_differs_is_seen) {
    small_step step(MIM_CUDA);
    const auto ok = [](mim_status status) { EXPECT_EQ(MIM_OK, status) << mim_last_error(); };
    const mim_view a = step.at(0, 4), b = step.at(1, 4), c = step.at(2, 4), w = step.at(4, cols);
    mim_view shorter = step.at(1, 3), other_w = w;
    other_w.data = step.memory(5);
    const mim_view whole = step.image(0, 4), low = step.image(7, 4), moved = step.image(8, 4);
    const mim_view mean = step.row(9, 1), deviation = step.row(10, 1);
    step.upload(mean, {0.5f});
    step.upload(deviation, {0.5f});
    const auto low_pass = [&](const mim_view& to, float radius) {
        const mim_low_pass_params disc = {sizeof disc, MIM_LOW_PASS_SYMMETRIC, radius};
        ok(mim_low_pass(step.ctx, &to, &whole, &mean, &deviation, &disc));
    };
    const std::vector<std::function<void()>> variants = {
        [&] { ok(mim_fill(step.ctx, &a, 1)); },
        [&] { ok(mim_fill(step.ctx, &a, 2)); },                          // an argument
        [&] { ok(mim_fill(step.ctx, &b, 2)); },                          // an address
        [&] { ok(mim_fill(step.ctx, &shorter, 2)); },                    // a shape
        [&] { ok(mim_copy(step.ctx, &b, &a)); },                         // a copy
        [&] { ok(mim_copy(step.ctx, &c, &a)); },                         // where to
        [&] { ok(mim_gelu_forward(step.ctx, &c, &a)); },                 // a kernel
        [&] { ok(mim_linear_forward(step.ctx, &c, &a, &w, nullptr)); },  // a product
        [&] { ok(mim_linear_forward(step.ctx, &c, &a, &other_w, nullptr)); },
        [&] { ok(mim_linear_forward(step.ctx, &c, &b, &w, nullptr)); },
        [&] { low_pass(low, 1); },
        [&] { low_pass(low, 2); },
        [&] { low_pass(moved, 2); },
        [&] {},                                  // less
        [&] { ok(mim_fill(step.ctx, &a, 1)); },  // more
        [&] {
            ok(mim_fill(step.ctx, &a, 1));
            ok(mim_fill(step.ctx, &b, 1));
        },
    };
    int64_t replayed = 0;
    for (size_t i = 0; i < variants.size(); ++i) {
        step.begin();
        variants[i]();
        EXPECT_EQ(i == 0, step.end()) << i;
        for (int again = 0; again < 4; ++again) {
            step.begin();
            variants[i]();
            EXPECT_TRUE(step.end()) << i;
        }
        replayed += i == 0 ? 2 : 1;  // the first was begun once more
        EXPECT_EQ(replayed, step.replayed()) << i;
    }
}

TEST(cuda_step, two_numbers_are_two_steps) {
    small_step plain(MIM_CUDA), repeated(MIM_CUDA);
    for (int i = 0; i < 6; ++i) {
        for (int32_t number = 0; number < 2; ++number) {
            const int64_t count = number == 0 ? rows : 3;
            plain.ask(float(i), i, count);
            repeated.begin(7 * number);
            repeated.ask(float(i), i, count);
            ASSERT_TRUE(repeated.end());
        }
    }
    EXPECT_EQ(6, repeated.replayed());
    expect_same(plain.everything(), repeated.everything());
}

TEST(cuda_step, memory_that_ends_within_a_step_is_there_when_it_runs) {
    small_step step(MIM_CUDA);
    for (int i = 0; i < 6; ++i) {
        step.begin();
        mim_buffer* between = nullptr;
        ASSERT_EQ(MIM_OK, mim_buffer_create(step.ctx, &between, place_bytes));
        mim_view middle = step.at(0, rows);
        middle.data = mim_buffer_data(between);
        step.upload(middle, numbers(size_t(rows * cols), float(i)));
        const mim_view to = step.at(1, rows);
        EXPECT_EQ(MIM_OK, mim_copy(step.ctx, &to, &middle));
        mim_buffer_destroy(between);
        if (!step.end()) continue;  // it lay elsewhere this time
        EXPECT_EQ(float(i), step.everything()[place_bytes / sizeof(float)]) << i;
    }
}

TEST(cuda_step, nothing_can_be_read_or_waited_for_within_one) {
    small_step step(MIM_CUDA);
    numbers values(size_t(rows * cols));
    for (int i = 0; i < 5; ++i) {  // as asked for, recorded, compared
        step.begin();
        mim_view host = step.at(0, rows);
        host.device = MIM_CPU;
        host.data = values.data();
        const mim_view z = step.at(small_step::z, rows);
        expect_error(MIM_ERROR_UNSUPPORTED, mim_copy(step.ctx, &host, &z),
                     "mim_copy: copying to host memory within a step");
        expect_error(MIM_ERROR_UNSUPPORTED, mim_context_synchronize(step.ctx),
                     "mim_context_synchronize: waiting for the device within a step");
        mim_ceiling ceiling = {sizeof ceiling};
        expect_error(MIM_ERROR_UNSUPPORTED, mim_measure_ceiling(step.ctx, &ceiling),
                     "within a step");
        step.ask(float(i));
        ASSERT_TRUE(step.end());
    }
    EXPECT_EQ(2, step.replayed());
}

TEST(cuda_step, an_error_ends_it_cleanly) {
    for (int before = 0; before < 5; ++before) {  // as asked for, recorded twice, compared twice
        small_step plain(MIM_CUDA), failing(MIM_CUDA);
        for (int i = 0; i < before; ++i) {
            plain.ask(float(i));
            ASSERT_TRUE(failing.ask_as_step(float(i)));
        }
        const numbers so_far = plain.everything();
        failing.begin();
        const mim_view y = failing.at(1, 4), x = failing.at(0, rows);
        expect_error(MIM_ERROR_INVALID_ARGUMENT, mim_gelu_forward(failing.ctx, &y, &x),
                     "mim_gelu_forward: ");
        if (before > 0) failing.ask(9);  // of a step that is gathered nothing is done
        EXPECT_EQ(MIM_OK, mim_step_cancel(failing.ctx));
        expect_same(so_far, failing.everything());
        for (int i = 0; i < 5; ++i) {
            plain.ask(float(i), i);
            ASSERT_TRUE(failing.ask_as_step(float(i), i));
        }
        expect_same(plain.everything(), failing.everything());
        EXPECT_EQ(std::max(0, before - 3) + 2, failing.replayed());
    }
}

TEST(cuda_step, a_context_may_end_within_one) {
    small_step step(MIM_CUDA);
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(step.ask_as_step(1));
    }
    step.begin();
    step.ask(1);
}

class step_on : public testing::TestWithParam<int32_t> {};
INSTANTIATE_TEST_SUITE_P(each, step_on, testing::ValuesIn(mim::test::devices_present()),
                         [](const auto& device) {
                             return device.param == MIM_CPU ? "cpu" : "cuda";
                         });

TEST_P(step_on, begin_and_end_come_in_pairs) {
    small_step step(GetParam());
    int32_t started = 1;
    expect_error(MIM_ERROR_INVALID_ARGUMENT, mim_step_end(step.ctx, &started),
                 "mim_step_end: no step was begun, expected mim_step_begin first");
    EXPECT_EQ(0, started);
    EXPECT_EQ(MIM_OK, mim_step_cancel(step.ctx));
    expect_error(MIM_ERROR_INVALID_ARGUMENT, mim_step_begin(step.ctx, -1),
                 "number is -1, expected at least 0");
    for (int i = 0; i < 5; ++i) {
        step.begin(3);
        step.ask(float(i));
        expect_error(MIM_ERROR_INVALID_ARGUMENT, mim_step_begin(step.ctx, 4),
                     "mim_step_begin: step 4 is begun within step 3");
        ASSERT_TRUE(step.end());  // the outer one is as it was
    }
    EXPECT_EQ(GetParam() == MIM_CPU ? 0 : 2, step.replayed());
    small_step plain(GetParam());
    for (int i = 0; i < 5; ++i) plain.ask(float(i));
    expect_same(plain.everything(), step.everything());
}

}  // namespace
