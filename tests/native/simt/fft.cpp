// Fourier transforms behind cuda/fft.h: one axis and then the other, each split by its smallest
// factors, in double.
#include "cuda/fft.h"

#include <algorithm>
#include <complex>
#include <stdexcept>
#include <vector>

namespace mim::cuda {

struct fft::library {};
fft::fft() = default;
fft::~fft() = default;

namespace {

using number = std::complex<double>;

int64_t bytes_of(const transform& t) {
    return 64 + t.planes;  // another for every transform: one that was given too little is found
}

// values[i stride] for i < n become sum_j values[j stride] turns[i j all / n mod all], through `spare`
// of n numbers.
void transform_line(number* values, int64_t n, int64_t stride, const std::vector<number>& turns,
                    number* spare) {
    if (n == 1) return;
    int64_t factor = 2;
    while (n % factor != 0) ++factor;
    const int64_t rest = n / factor, all = int64_t(turns.size());
    for (int64_t part = 0; part < factor; ++part)
        transform_line(values + part * stride, rest, stride * factor, turns, spare);
    for (int64_t i = 0; i < n; ++i) {
        double real = 0, imaginary = 0;
        for (int64_t part = 0; part < factor; ++part) {
            const number z = values[(i % rest * factor + part) * stride];
            const number turn = turns[size_t(i * part % n * (all / n))];
            real += z.real() * turn.real() - z.imag() * turn.imag();
            imaginary += z.real() * turn.imag() + z.imag() * turn.real();
        }
        spare[i] = {real, imaginary};
    }
    for (int64_t i = 0; i < n; ++i) values[i * stride] = spare[i];
}

std::vector<number> turns_of(int64_t n, int sign) {
    std::vector<number> turns;
    for (int64_t i = 0; i < n; ++i)
        turns.push_back(std::polar(1.0, sign * 2 * 3.14159265358979323846 * double(i) / double(n)));
    return turns;
}

void transform_plane(std::vector<number>& plane, const transform& t, int sign) {
    const std::vector<number> along_x = turns_of(t.width, sign), along_y = turns_of(t.height, sign);
    std::vector<number> spare(size_t(std::max(t.width, t.height)));
    for (int64_t i = 0; i < t.height; ++i)
        transform_line(plane.data() + i * t.width, t.width, 1, along_x, spare.data());
    for (int64_t j = 0; j < t.width; ++j)
        transform_line(plane.data() + j, t.height, t.width, along_y, spare.data());
}

void transform_planes(const transform& t, void* to, void* from, void* workspace);

}  // namespace

int64_t fft::workspace_bytes(const transform& t) {
    return bytes_of(t);
}

void fft::run(const transform& t, void* to, void* from, void* workspace, stream s) {
    if (!simt::is_device(to) || !simt::is_device(from) || !simt::is_device(workspace) ||
        (to == from) != (t.kind == transform_kind::complex_to_complex))
        throw std::logic_error("a transform was given other memory than it takes");
    emulated::take(s, [=] { transform_planes(t, to, from, workspace); });
}

namespace {

void transform_planes(const transform& t, void* to, void* from, void* workspace) {
    simt::access device;
    for (int64_t i = 0; i < bytes_of(t); ++i) static_cast<char*>(workspace)[i] = -1;
    const int64_t half = t.width / 2 + 1, pixels = t.height * t.width;
    const bool from_real = t.kind == transform_kind::real_to_complex,
               to_real = t.kind == transform_kind::complex_to_real;
    std::vector<number> plane(static_cast<size_t>(pixels));
    for (int64_t p = 0; p < t.planes; ++p) {
        const auto* real_in = static_cast<const float*>(from) + p * pixels;
        const auto* in =
            static_cast<const complex_float*>(from) + p * t.height * (to_real ? half : t.width);
        for (int64_t i = 0; i < pixels; ++i) {
            const int64_t k = i / t.width, l = i % t.width;
            if (from_real) {
                plane[size_t(i)] = real_in[i];
            } else if (!to_real) {
                plane[size_t(i)] = number(in[i].real, in[i].imaginary);
            } else {  // what is not stored is the conjugate of its negative
                const bool stored = l < half;
                const complex_float z =
                    stored ? in[k * half + l] : in[(t.height - k) % t.height * half + t.width - l];
                plane[size_t(i)] = number(z.real, stored ? z.imaginary : -z.imaginary);
            }
        }
        transform_plane(plane, t, from_real ? -1 : 1);
        auto* real_out = static_cast<float*>(to) + p * pixels;
        auto* out = static_cast<complex_float*>(to) + p * t.height * (from_real ? half : t.width);
        for (int64_t i = 0; i < pixels; ++i) {
            const int64_t k = i / t.width, l = i % t.width;
            const complex_float z = {float(plane[size_t(i)].real()),
                                     float(plane[size_t(i)].imag())};
            if (to_real)
                real_out[i] = z.real;
            else if (!from_real)
                out[i] = z;
            else if (l < half)
                out[k * half + l] = z;
        }
    }
    device.check();
}

}  // namespace

}  // namespace mim::cuda
