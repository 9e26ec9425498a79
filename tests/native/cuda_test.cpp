// The door to the CUDA backend: a device, or one sentence. Builds without CUDA open the emulator.
#include "op_test.h"

namespace {

mim_status open_cuda(mim_context** ctx, int32_t index) {
    mim::test::devices_present();  // names the emulator's library where there is one
    const mim_context_params params = {sizeof params, MIM_CUDA, index, 1};
    return mim_context_create(ctx, &params);
}

TEST(cuda, a_device_says_what_it_is) {
    mim_context* ctx = nullptr;
    ASSERT_EQ(MIM_OK, open_cuda(&ctx, 0)) << mim_last_error();
    mim_context_info info = {sizeof info};
    EXPECT_EQ(MIM_OK, mim_context_get_info(ctx, &info));
    EXPECT_EQ(MIM_CUDA, info.device);
    EXPECT_EQ(1, info.has_bf16);
    EXPECT_NE(std::string(), mim_context_description(ctx));
    mim_context_destroy(ctx);
}

TEST(cuda, a_device_that_is_not_there) {
    mim_context* ctx = nullptr;
    EXPECT_EQ(MIM_ERROR_DEVICE_UNAVAILABLE, open_cuda(&ctx, 99));
    EXPECT_EQ(nullptr, ctx);
    for (const char* words : {"mim_context_create", "params.device_index is 99", "CUDA devices"})
        EXPECT_NE(std::string::npos, std::string(mim_last_error()).find(words)) << mim_last_error();
    EXPECT_EQ(MIM_ERROR_INVALID_ARGUMENT, open_cuda(&ctx, -1));
}

TEST(cuda, memory_outlives_its_context) {
    mim_context* ctx = nullptr;
    ASSERT_EQ(MIM_OK, open_cuda(&ctx, 0)) << mim_last_error();
    mim_buffer* buffer = nullptr;
    ASSERT_EQ(MIM_OK, mim_buffer_create(ctx, &buffer, 1000)) << mim_last_error();
    EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(mim_buffer_data(buffer)) % 64);
    mim_context_destroy(ctx);
    mim_buffer_destroy(buffer);
}

}  // namespace
