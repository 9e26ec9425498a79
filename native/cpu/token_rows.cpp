// Plain loops: they move more than they compute, and the compiler widens them for each of Highway's
// targets.
#include "cpu/token_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/token_rows.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

template <class T>
void read_patch(T* HWY_RESTRICT patch, const float* HWY_RESTRICT corner,
                const patch_layout& layout) {
    const int64_t channels = layout.channels, width = layout.width;
    if (!layout.pixels_first) {
        for (int64_t c = 0; c < channels; ++c)
            for (int64_t p = 0; p < layout.height; ++p, patch += width) {
                const float* run = corner + c * layout.plane + p * layout.line;
                for (int64_t q = 0; q < width; ++q) patch[q] = T(run[q]);
            }
    } else if (channels == 3) {  // pictures: three runs woven together
        for (int64_t p = 0; p < layout.height; ++p, patch += 3 * width) {
            const float* red = corner + p * layout.line;
            const float *green = red + layout.plane, *blue = green + layout.plane;
            for (int64_t q = 0; q < width; ++q) {
                patch[3 * q] = T(red[q]);
                patch[3 * q + 1] = T(green[q]);
                patch[3 * q + 2] = T(blue[q]);
            }
        }
    } else {
        for (int64_t p = 0; p < layout.height; ++p, patch += channels * width)
            for (int64_t c = 0; c < channels; ++c) {
                const float* run = corner + c * layout.plane + p * layout.line;
                for (int64_t q = 0; q < width; ++q) patch[q * channels + c] = T(run[q]);
            }
    }
}

template <class T>
void add_channel(float* HWY_RESTRICT corner, const T* HWY_RESTRICT patch,
                 const patch_layout& layout, int64_t channel) {
    const int64_t width = layout.width;
    if (!layout.pixels_first) {
        patch += channel * layout.height * width;
        for (int64_t p = 0; p < layout.height; ++p, corner += layout.line, patch += width)
            for (int64_t q = 0; q < width; ++q) corner[q] += float(patch[q]);
    } else {
        patch += channel;
        for (int64_t p = 0; p < layout.height; ++p, corner += layout.line)
            for (int64_t q = 0; q < width; ++q, patch += layout.channels)
                corner[q] += float(*patch);
    }
}

template <class To, class From>
void embed(To* HWY_RESTRICT y, const From* HWY_RESTRICT x, const float* HWY_RESTRICT position,
           int64_t dim) {
    if (position == nullptr)
        for (int64_t c = 0; c < dim; ++c) y[c] = To(float(x[c]));
    else
        for (int64_t c = 0; c < dim; ++c) y[c] = To(float(x[c]) + position[c]);
}

template <class Sum, class T>
void add(Sum* HWY_RESTRICT sum, const T* HWY_RESTRICT x, int64_t dim) {
    for (int64_t c = 0; c < dim; ++c) sum[c] += Sum(float(x[c]));
}

template <class T>
token_rows<T> loops() {
    return {read_patch<T>,   add_channel<T>, embed<T, T>,
            embed<T, float>, add<float, T>,  add<double, T>};
}
token_rows<float> loops_f32() {
    return loops<float>();
}
token_rows<bf16> loops_bf16() {
    return loops<bf16>();
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(loops_f32);
HWY_EXPORT(loops_bf16);

template <>
const token_rows<float>& token_rows_of<float>() {
    static const token_rows<float> loops = HWY_DYNAMIC_DISPATCH(loops_f32)();
    return loops;
}
template <>
const token_rows<bf16>& token_rows_of<bf16>() {
    static const token_rows<bf16> loops = HWY_DYNAMIC_DISPATCH(loops_bf16)();
    return loops;
}

}  // namespace mim::cpu
#endif
