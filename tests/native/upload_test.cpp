// Uploads (context.h), on the CPU and on a CUDA device.
#include "op_test.h"

namespace {

class upload_on : public testing::TestWithParam<int32_t> {
protected:
    static constexpr int64_t most = 4;  // numbers of an upload

    void SetUp() override {
        mim::test::devices_present();  // names the emulator's library where there is one
        const mim_context_params params = {sizeof params, GetParam(), 0, 1};
        ASSERT_EQ(MIM_OK, mim_context_create(&ctx, &params)) << mim_last_error();
        ASSERT_EQ(MIM_OK, mim_buffer_create(ctx, &buffer, int64_t(seen.size() * sizeof(float))));
        ASSERT_EQ(MIM_OK, mim_upload_create(ctx, &upload, most * int64_t(sizeof(float))));
    }
    void TearDown() override {
        mim_upload_destroy(upload);
        mim_buffer_destroy(buffer);
        mim_context_destroy(ctx);
    }
    mim_view numbers(void* memory, int64_t count, int32_t device) const {
        return {sizeof(mim_view), MIM_F32, device, 1, {count}, {1}, memory};
    }
    mim_view place(int64_t at) const {
        return numbers(static_cast<float*>(mim_buffer_data(buffer)) + most * at, most, GetParam());
    }
    void start(float value) const {
        std::vector<float> values(most, value);
        const mim_view from = numbers(values.data(), most, MIM_CPU);
        EXPECT_EQ(MIM_OK, mim_upload_start(ctx, upload, &from)) << mim_last_error();
        values.assign(most, NAN);  // it may be overwritten at once
    }
    // Work that reads the upload: place 0 moves on to 1, that to 2 and so on, and 0 is the upload's.
    void shift() const {
        const auto copy = [&](const mim_view& to, const mim_view& from) {
            EXPECT_EQ(MIM_OK, mim_copy(ctx, &to, &from)) << mim_last_error();
        };
        for (int64_t at = places - 1; at > 0; --at) copy(place(at), place(at - 1));
        copy(place(0), numbers(mim_upload_data(upload), most, GetParam()));
    }
    void shift_as_step() const {
        ASSERT_EQ(MIM_OK, mim_step_begin(ctx, 0));
        shift();
        int32_t started = 0;
        ASSERT_EQ(MIM_OK, mim_step_end(ctx, &started));
        ASSERT_EQ(1, started);
    }
    // What the places hold, which must be `newest`, newest - 1 and so on, and 0 below 1.
    void expect_all_until(int newest) {
        const mim_view host = numbers(seen.data(), int64_t(seen.size()), MIM_CPU),
                       all = numbers(mim_buffer_data(buffer), int64_t(seen.size()), GetParam());
        ASSERT_EQ(MIM_OK, mim_copy(ctx, &host, &all));
        ASSERT_EQ(MIM_OK, mim_context_synchronize(ctx));
        for (size_t i = 0; i < seen.size(); ++i)
            EXPECT_EQ(float(std::max(0, newest - int(i / most))), seen[i]) << i;
    }
    mim_context_info info() const {
        mim_context_info told = {sizeof told};
        EXPECT_EQ(MIM_OK, mim_context_get_info(ctx, &told));
        return told;
    }
    void expect_refused(mim_status want, const mim_view& from, const char* words) const {
        EXPECT_EQ(want, mim_upload_start(ctx, upload, &from));
        EXPECT_NE(std::string::npos, std::string(mim_last_error()).find(words)) << mim_last_error();
    }

    static constexpr int64_t places = 16;
    std::vector<float> seen = std::vector<float>(most * places);
    mim_context* ctx = nullptr;
    mim_buffer* buffer = nullptr;
    mim_upload* upload = nullptr;
};
INSTANTIATE_TEST_SUITE_P(each, upload_on, testing::ValuesIn(mim::test::devices_present()),
                         [](const auto& device) {
                             return device.param == MIM_CPU ? "cpu" : "cuda";
                         });

TEST_P(upload_on, work_finds_what_was_started_last) {
    shift();
    expect_all_until(0);
    for (int i = 1; i <= 6; ++i) {
        start(float(i));
        shift();
    }
    expect_all_until(6);
    for (int i = 0; i < 6; ++i) start(-1);  // which nobody reads
    start(7);
    shift();
    expect_all_until(7);
}

// Nobody waits, so that every order in which steps and copies may happen is one that has to be right.
TEST_P(upload_on, steps_that_repeat_find_it_and_are_replayed) {
    for (int i = 1; i <= 12; ++i) {
        start(float(i));
        shift_as_step();
    }
    EXPECT_EQ(GetParam() == MIM_CPU ? 0 : 9, info().replayed_steps);
    expect_all_until(12);
}

// Addresses and the two graphs of a step change turns together, whatever happens between them.
TEST_P(upload_on, steps_are_replayed_again_after_other_work) {
    int newest = 0;
    const auto steps = [&](int count) {
        for (int i = 0; i < count; ++i) {
            start(float(++newest));
            shift_as_step();
        }
    };
    steps(5);
    start(-1);
    ASSERT_EQ(MIM_OK, mim_step_begin(ctx, 0));
    shift();
    EXPECT_EQ(MIM_OK, mim_step_cancel(ctx));
    steps(6);
    EXPECT_EQ(GetParam() == MIM_CPU ? 0 : 2 + 3, info().replayed_steps);
    if (GetParam() != MIM_CPU) expect_all_until(newest);  // a CPU had done what was cancelled
}

TEST_P(upload_on, takes_memory_that_is_counted) {
    const int64_t before = info().memory_bytes, bytes = mim_upload_bytes(upload);
    EXPECT_EQ((GetParam() == MIM_CPU ? 1 : 2) * most * int64_t(sizeof(float)), bytes);
    mim_upload* second = nullptr;
    ASSERT_EQ(MIM_OK, mim_upload_create(ctx, &second, most * int64_t(sizeof(float))));
    EXPECT_EQ(before + bytes, info().memory_bytes);
    mim_upload_destroy(second);
    EXPECT_EQ(before, info().memory_bytes);
    EXPECT_EQ(0, mim_upload_bytes(nullptr));
    EXPECT_EQ(nullptr, mim_upload_data(nullptr));
}

TEST_P(upload_on, does_nothing_while_planning) {
    start(1);
    void* const latest = mim_upload_data(upload);
    ASSERT_EQ(MIM_OK, mim_context_set_planning(ctx, 1));
    start(2);
    ASSERT_EQ(MIM_OK, mim_context_set_planning(ctx, 0));
    EXPECT_EQ(latest, mim_upload_data(upload));
    shift();
    expect_all_until(1);
}

TEST_P(upload_on, may_end_while_work_and_its_copy_are_under_way) {
    for (int i = 1; i <= 5; ++i) {
        start(float(i));
        shift_as_step();
    }
    start(6);
    mim_upload_destroy(upload);
    upload = nullptr;
    expect_all_until(5);
}

TEST_P(upload_on, refuses_what_it_cannot_copy) {
    float values[5] = {};
    expect_refused(MIM_ERROR_INVALID_ARGUMENT, numbers(values, 5, MIM_CPU),
                   "mim_upload_start: from has 20 bytes, expected at most the 16 of the upload");
    mim_view strided = numbers(values, 2, MIM_CPU);
    strided.stride[0] = 2;
    expect_refused(MIM_ERROR_INVALID_ARGUMENT, strided, "from");
    expect_refused(MIM_ERROR_INVALID_ARGUMENT, numbers(values, 2, MIM_CUDA),
                   "from lies on a CUDA device, expected host memory");
    mim_upload* none = nullptr;
    EXPECT_EQ(MIM_ERROR_INVALID_ARGUMENT, mim_upload_create(ctx, &none, 0));
    EXPECT_EQ(nullptr, none);
    mim_context* other = nullptr;
    const mim_context_params params = {sizeof params, GetParam(), 0, 1};
    ASSERT_EQ(MIM_OK, mim_context_create(&other, &params));
    const mim_view from = numbers(values, 4, MIM_CPU);
    EXPECT_EQ(MIM_ERROR_INVALID_ARGUMENT, mim_upload_start(other, upload, &from));
    mim_context_destroy(other);
    if (GetParam() == MIM_CPU) return;
    ASSERT_EQ(MIM_OK, mim_step_begin(ctx, 0));
    expect_refused(MIM_ERROR_UNSUPPORTED, from, "mim_upload_start: uploading within a step");
    EXPECT_EQ(MIM_OK, mim_step_cancel(ctx));
}

}  // namespace
