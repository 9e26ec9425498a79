// Readbacks (context.h), on the CPU and on a CUDA device.
#include "op_test.h"

namespace {

class readback_on : public testing::TestWithParam<int32_t> {
protected:
    void SetUp() override {
        mim::test::devices_present();  // names the emulator's library where there is one
        const mim_context_params params = {sizeof params, GetParam(), 0, 1};
        ASSERT_EQ(MIM_OK, mim_context_create(&ctx, &params)) << mim_last_error();
        ASSERT_EQ(MIM_OK, mim_buffer_create(ctx, &buffer, 256));
        ASSERT_EQ(MIM_OK, mim_readback_create(ctx, &readback, 4 * sizeof(float)));
    }
    void TearDown() override {
        mim_readback_destroy(readback);
        mim_buffer_destroy(buffer);
        mim_context_destroy(ctx);
    }
    mim_view numbers(int64_t count) const {
        return {sizeof(mim_view), MIM_F32, GetParam(), 1, {count}, {1}, mim_buffer_data(buffer)};
    }
    void fill(float value) const {
        const mim_view all = numbers(5);
        EXPECT_EQ(MIM_OK, mim_fill(ctx, &all, value));
    }
    void start(int64_t count) const {
        const mim_view from = numbers(count);
        EXPECT_EQ(MIM_OK, mim_readback_start(ctx, readback, &from)) << mim_last_error();
    }
    std::vector<float> wait() const {
        EXPECT_EQ(MIM_OK, mim_readback_wait(ctx, readback)) << mim_last_error();
        const float* values = static_cast<const float*>(mim_readback_data(readback));
        return {values, values + 4};
    }
    void expect_refused(mim_status want, const mim_view& from, const char* words) const {
        EXPECT_EQ(want, mim_readback_start(ctx, readback, &from));
        EXPECT_NE(std::string::npos, std::string(mim_last_error()).find(words)) << mim_last_error();
    }

    mim_context* ctx = nullptr;
    mim_buffer* buffer = nullptr;
    mim_readback* readback = nullptr;
};
INSTANTIATE_TEST_SUITE_P(each, readback_on, testing::ValuesIn(mim::test::devices_present()),
                         [](const auto& device) {
                             return device.param == MIM_CPU ? "cpu" : "cuda";
                         });

TEST_P(readback_on, what_the_device_held_when_it_was_asked) {
    EXPECT_EQ(std::vector<float>(4, 0), wait());
    fill(1);
    start(4);
    fill(2);  // comes after it
    EXPECT_EQ(std::vector<float>(4, 1), wait());
    EXPECT_EQ(std::vector<float>(4, 1), wait());
    start(3);
    fill(3);
    EXPECT_EQ((std::vector<float>{2, 2, 2, 1}), wait());
    start(4);
    start(2);  // instead of the one before, or after it
    EXPECT_EQ(std::vector<float>(4, 3), wait());
}

TEST_P(readback_on, between_steps_that_repeat) {
    for (int i = 0; i < 6; ++i) {
        for (const float value : {float(i), -1.0f}) {
            ASSERT_EQ(MIM_OK, mim_step_begin(ctx, value < 0));
            fill(value < 0 ? value : 7);
            int32_t started = 0;
            ASSERT_EQ(MIM_OK, mim_step_end(ctx, &started));
            ASSERT_EQ(1, started);
            if (value >= 0) start(4);
        }
        EXPECT_EQ(std::vector<float>(4, 7), wait()) << i;
    }
}

TEST_P(readback_on, may_end_while_its_copy_is_under_way) {
    fill(1);
    start(4);
}

TEST_P(readback_on, refuses_what_it_cannot_copy) {
    expect_refused(
        MIM_ERROR_INVALID_ARGUMENT, numbers(5),
        "mim_readback_start: from has 20 bytes, expected at most the 16 of the readback");
    mim_view strided = numbers(2);
    strided.stride[0] = 2;
    expect_refused(MIM_ERROR_INVALID_ARGUMENT, strided, "from");
    mim_view elsewhere = numbers(2);
    elsewhere.device = GetParam() == MIM_CPU ? MIM_CUDA : MIM_CPU;
    expect_refused(MIM_ERROR_INVALID_ARGUMENT, elsewhere, "expected the context's device");
    mim_readback* none = nullptr;
    EXPECT_EQ(MIM_ERROR_INVALID_ARGUMENT, mim_readback_create(ctx, &none, 0));
    EXPECT_EQ(nullptr, none);
    mim_context* other = nullptr;
    const mim_context_params params = {sizeof params, GetParam(), 0, 1};
    ASSERT_EQ(MIM_OK, mim_context_create(&other, &params));
    const mim_view from = numbers(4);
    EXPECT_EQ(MIM_ERROR_INVALID_ARGUMENT, mim_readback_start(other, readback, &from));
    mim_context_destroy(other);
    if (GetParam() == MIM_CPU) return;
    ASSERT_EQ(MIM_OK, mim_step_begin(ctx, 0));
    expect_refused(MIM_ERROR_UNSUPPORTED, numbers(4),
                   "mim_readback_start: reading back within a step");
    EXPECT_EQ(MIM_OK, mim_step_cancel(ctx));
}

}  // namespace
