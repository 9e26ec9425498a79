// Times mim_low_pass on a batch of pictures: the milliseconds of a call, smallest and median.
//     low_pass_benchmark [batch height width radius seconds]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "mim/mim.h"

namespace {

void ok(mim_status status) {
    if (status == MIM_OK) return;
    std::fprintf(stderr, "%s\n", mim_last_error());
    std::exit(1);
}

mim_view dense(float* values, std::initializer_list<int64_t> shape) {
    mim_view v = {};
    v.size = sizeof v;
    v.dtype = MIM_F32;
    v.device = MIM_CPU;
    v.rank = int32_t(shape.size());
    v.data = values;
    std::copy(shape.begin(), shape.end(), v.shape);
    int64_t stride = 1;
    for (int32_t i = v.rank - 1; i >= 0; --i) {
        v.stride[i] = stride;
        stride *= v.shape[i];
    }
    return v;
}

void time_calls(int64_t batch, int64_t height, int64_t width, float radius, double seconds,
                int32_t mode, int32_t threads) {
    using clock = std::chrono::steady_clock;
    mim_context* ctx = nullptr;
    const mim_context_params where = {sizeof where, MIM_CPU, 0, threads};
    ok(mim_context_create(&ctx, &where));
    const int64_t count = batch * 3 * height * width;
    mim_buffer *x_memory = nullptr, *y_memory = nullptr;
    ok(mim_buffer_create(ctx, &x_memory, count * int64_t(sizeof(float))));
    ok(mim_buffer_create(ctx, &y_memory, count * int64_t(sizeof(float))));
    float *x = static_cast<float*>(mim_buffer_data(x_memory)),
          *y = static_cast<float*>(mim_buffer_data(y_memory));
    float mean[] = {0.485f, 0.456f, 0.406f}, deviation[] = {0.229f, 0.224f, 0.225f};
    uint32_t state = 1;
    for (int64_t i = 0; i < count; ++i)
        x[i] = float((state = state * 1664525u + 1013904223u) >> 8) / 4e6f - 2;
    const mim_view vx = dense(x, {batch, 3, height, width}),
                   vy = dense(y, {batch, 3, height, width});
    const mim_view vm = dense(mean, {3}), vs = dense(deviation, {3});

    const mim_low_pass_params params = {sizeof params, mode, radius};
    std::vector<double> times;
    const auto begin = clock::now();
    while (times.size() < 5 ||
           std::chrono::duration<double>(clock::now() - begin).count() < seconds) {
        const auto start = clock::now();
        ok(mim_low_pass(ctx, &vy, &vx, &vm, &vs, &params));
        times.push_back(std::chrono::duration<double, std::milli>(clock::now() - start).count());
    }
    mim_buffer_destroy(x_memory);
    mim_buffer_destroy(y_memory);
    mim_context_destroy(ctx);
    std::sort(times.begin(), times.end());
    std::printf("%-9s %d thread%s  min %8.3f ms   median %8.3f ms   (%zu calls)\n",
                mode == MIM_LOW_PASS_EXACT ? "exact" : "symmetric", threads,
                threads == 1 ? " " : "s", times.front(), times[times.size() / 2], times.size());
}

}  // namespace

int main(int count, char** argument) {
    const auto given = [&](int i, double otherwise) {
        return count > i ? std::atof(argument[i]) : otherwise;
    };
    const int64_t batch = int64_t(given(1, 16)), height = int64_t(given(2, 224)),
                  width = int64_t(given(3, 224));
    const double radius = given(4, 40), seconds = given(5, 3);
    std::printf("%ld x 3 x %ld x %ld, radius %g\n", long(batch), long(height), long(width), radius);
    for (const int32_t mode : {MIM_LOW_PASS_EXACT, MIM_LOW_PASS_SYMMETRIC})
        for (const int32_t threads : {1, 2})
            time_calls(batch, height, width, float(radius), seconds, mode, threads);
}
