// The ideal low pass on the CPU. So few frequencies survive that the Fourier transform is made of
// thin products with tables of cosines and sines, one plane at a time in a thread's cache:
//
//     in     fold y, product, fold x, product     F (frequencies of y) x G (of x), real
//     mix    each quadruple (+-f, +-g) with its four bins of the filter
//     out    product, unfold x, product, unfold y, magnitude
//
// Real numbers suffice. A picture is a sum of cos|sin(f y) cos|sin(g x); for each (f, g) the filter
// mixes the four of them. Its even part (bins whose conjugates are kept as well) gives the real
// signal, its odd part the imaginary one, which is skipped where the filter has none.
//
// Folding: cosines of y and N - y are equal, sines opposite, so the plane is folded into
// u[y] + u[N-y] for the cosines and u[y] - u[N-y] for the sines, half as many rows each. Where N is
// even, y and N/2 - y differ by (-1)^f in the same way: folded again, by the parity of f, a quarter
// of the rows is left for half of the frequencies.
//
// Pictures come normalised. The filter is linear, so x is filtered as it is and the constant
// c = mean / std is put back where the magnitude is taken: y = |low pass(x) + c| - c, without c
// under the magnitude if the filter drops frequency 0.
//
// Planes are independent, so the result has the same bits for any number of threads.
// Derivation: docs/math/low_pass.md.
#include <algorithm>
#include <cmath>

#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/low_pass.cpp"
#include "hwy/foreach_target.h"

#include "cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

constexpr int64_t line = 16;  // floats of a cache line; a multiple of every lane count

constexpr int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}
constexpr int64_t whole_lines(int64_t count) {
    return ceil_div(count, line) * line;
}
// An odd number of lines, so that rows below each other use all sets of the cache.
constexpr int64_t odd_lines(int64_t count) {
    return (ceil_div(count, line) | 1) * line;
}

// ---- the filter ----

struct disc {
    bool symmetric;
    double radius2;

    explicit disc(const mim_low_pass_params& params)
        : symmetric(params.mode == MIM_LOW_PASS_SYMMETRIC),
          radius2(double(params.radius) * params.radius) {}

    // The middle of the disc lies at frequency 0 or, on an axis of even size in exact mode, at -1/2.
    // How far it is from the frequencies k and -k, 0 <= k <= n/2, of n; n/2 is the same as -n/2.
    double distance(int64_t k, int64_t n) const {
        return 2 * k == n ? distance_of_negative(k, n) : double(k) + to_middle(n);
    }
    double distance_of_negative(int64_t k, int64_t n) const {
        return std::fabs(double(k) - to_middle(n));
    }
    double to_middle(int64_t n) const { return symmetric || n % 2 != 0 ? 0.0 : 0.5; }

    bool keeps(double a, double b) const { return a * a + b * b <= radius2; }
    // Frequencies 0 to this one, excluded, are kept along an axis of n bins, with either sign.
    int64_t frequencies(int64_t n, int64_t other) const {
        int64_t f = n / 2;
        while (f >= 0 && !keeps(distance_of_negative(f, n), to_middle(other))) --f;
        return f + 1;
    }
};

// ---- one axis of the picture ----

// Waves of an axis come in classes: cosines, then sines; each of them, where the size is even,
// first of the even frequencies, then of the odd ones.
struct axis {
    int64_t size;
    int64_t frequencies;  // 0 .. frequencies - 1 take part
    int64_t parities;     // 2 where the size is even
    int64_t points;       // that are left of the axis once it is folded

    axis(int64_t size, int64_t frequencies)
        : size(size),
          frequencies(frequencies),
          parities(size % 2 == 0 ? 2 : 1),
          points(size / (2 * parities) + 1) {}

    int64_t classes() const { return 2 * parities; }
    // Frequencies of a class, and the number of those of the classes before it.
    int64_t count(int64_t wave) const {
        return (frequencies - wave % parities + parities - 1) / parities;
    }
    int64_t first(int64_t wave) const {
        return wave / parities * frequencies + (wave % parities) * count(0);
    }
    bool is_own_negative(int64_t k) const { return k == 0 || 2 * k == size; }
    int64_t frequency(int64_t wave, int64_t i) const { return wave % parities + i * parities; }

    // A point and its mirrors, whose values differ in sign at most. At the ends of the fold they
    // coincide in pairs.
    void mirrors(int64_t point, int64_t to[4]) const {
        to[0] = point;
        to[1] = point == 0 ? 0 : size - point;
        to[2] = size / 2 - point;
        to[3] = size / 2 + point;
    }
    float weight(int64_t point) const { return point == 0 || 4 * point == size ? 0.5f : 1.0f; }
};

// From the values of the classes at a point to those at its mirrors, or, which is the same sums,
// from the values at the mirrors to their folds.
template <int count>
HWY_INLINE void butterfly(float_vector (&v)[count]) {
    if constexpr (count == 2) {
        const float_vector sum = hn::Add(v[0], v[1]), difference = hn::Sub(v[0], v[1]);
        v[0] = sum;
        v[1] = difference;
    } else {
        const float_vector a = hn::Add(v[0], v[1]), b = hn::Sub(v[0], v[1]);
        const float_vector c = hn::Add(v[2], v[3]), d = hn::Sub(v[2], v[3]);
        v[0] = hn::Add(a, c);
        v[1] = hn::Sub(a, c);
        v[2] = hn::Sub(b, d);
        v[3] = hn::Add(b, d);
    }
}

// cos and sin(2 pi j / n) for all j, from double. Reduced to an eighth of the circle, so that
// mirrored angles have the same bits and 0 and 1 are exact.
struct circle {
    int64_t n;
    float *cosine, *sine;

    circle(context& ctx, int64_t n)
        : n(n), cosine(ctx.scratch<float>(n)), sine(ctx.scratch<float>(n)) {}

    void fill() const {
        for (int64_t j = 0; j < n; ++j) {
            int64_t angle = 8 * j;  // of 8 n
            const bool below = angle > 4 * n;
            if (below) angle = 8 * n - angle;
            const bool left = angle > 2 * n;
            if (left) angle = 4 * n - angle;
            const bool steep = angle > n;
            if (steep) angle = 2 * n - angle;
            const double radians = 0.78539816339744830962 * double(angle) / double(n);
            double c = std::cos(radians), s = std::sin(radians);
            if (steep) std::swap(c, s);
            cosine[j] = float(left ? -c : c);
            sine[j] = float(below ? -s : s);
        }
    }
    int64_t turned(int64_t angle, int64_t frequency) const {
        return angle + frequency < n ? angle + frequency : angle + frequency - n;
    }
    const float* of(const axis& a, int64_t wave) const { return wave < a.parities ? cosine : sine; }
};

// The filter at the four bins of (+-k, +-l), 1 or 0.
struct four_bins {
    double same, same_minus;          // (k, l) and its conjugate (-k, -l)
    double opposite, opposite_minus;  // (-k, l) and its conjugate (k, -l)

    four_bins(const disc& filter, const axis& y, int64_t k, const axis& x, int64_t l) {
        const double a = filter.distance(k, y.size), b = filter.distance(l, x.size);
        const double minus_a = filter.distance_of_negative(k, y.size);
        const double minus_b = filter.distance_of_negative(l, x.size);
        same = filter.keeps(a, b);
        same_minus = filter.keeps(minus_a, minus_b);
        opposite = filter.keeps(minus_a, b);
        opposite_minus = filter.keeps(a, minus_b);
    }
    bool is_odd() const { return same != same_minus || opposite != opposite_minus; }
};

// ---- sizes and memory ----

struct sizes {
    axis y, x;
    bool odd = false;  // whether the filter has an odd part, and the result imaginary parts
    int64_t planes, channels;
    int64_t threads;
    int64_t point_room;      // floats of a class where it holds points of x
    int64_t frequency_room;  // where it holds frequencies of x
    int64_t tile_rows;       // points of y whose result is made at a time

    sizes(const context& ctx, const disc& filter, const view& images)
        : y(images.shape[2], filter.frequencies(images.shape[2], images.shape[3])),
          x(images.shape[3], filter.frequencies(images.shape[3], images.shape[2])),
          planes(images.shape[0] * images.shape[1]),
          channels(images.shape[1]) {
        threads = std::min<int64_t>(ctx.threads(), planes);
        point_room = whole_lines(x.points);
        frequency_room = whole_lines(x.count(0));
        tile_rows = ceil_div(y.points, ceil_div(y.points, 30));  // nearly equal parts
        for (int64_t k = 0; k < y.frequencies && !odd && !filter.symmetric; ++k)
            for (int64_t l = 0; l < x.frequencies && !odd; ++l)
                odd = four_bins(filter, y, k, x, l).is_odd();
    }
    int64_t waves() const { return 2 * y.frequencies; }  // of y, all classes
};

// Tables and filter, the same for all planes.
struct tables {
    circle circle_y, circle_x;
    matrix y_in, y_out;  // (waves of y, points of y); `in` has the weights of the folds
    matrix x_in;         // (points of x, frequencies): one such matrix per class, below each other
    matrix x_out;        // (frequencies, points of x), likewise
    // The filter on the four signs of (f, g): m++ + m-- + m-+ + m+- and (m-+ + m+-) - (m++ + m--),
    // then the same of m++ - m-- and m-+ - m+-. (frequencies of y, of x by parity)
    matrix even_sum, even_difference, odd_sum, odd_difference;

    tables(context& ctx, const sizes& s)
        : circle_y(ctx, s.y.size),
          circle_x(ctx, s.x.size),
          y_in(make(ctx, s.waves(), odd_lines(s.y.points))),
          y_out(make(ctx, s.waves(), odd_lines(s.y.points))),
          x_in(make(ctx, s.x.classes() * s.x.points, s.frequency_room)),
          x_out(make(ctx, 2 * s.x.frequencies, s.point_room)),
          even_sum(make(ctx, s.y.frequencies, s.x.parities * s.frequency_room)),
          even_difference(make(ctx, s.y.frequencies, s.x.parities * s.frequency_room)),
          odd_sum(make(ctx, s.y.frequencies, s.x.parities * s.frequency_room)),
          odd_difference(make(ctx, s.y.frequencies, s.x.parities * s.frequency_room)) {}

    static matrix make(context& ctx, int64_t rows, int64_t stride) {
        return {ctx.scratch<float>(rows * stride), stride};
    }

    void fill(const sizes& s, const disc& filter) const {
        circle_y.fill();
        circle_x.fill();
        const axis &y = s.y, &x = s.x;
        for (int64_t wave = 0; wave < y.classes(); ++wave) {
            const float* value = circle_y.of(y, wave);
            for (int64_t i = 0; i < y.count(wave); ++i) {
                float *in = y_in.row(y.first(wave) + i), *out = y_out.row(y.first(wave) + i);
                for (int64_t p = 0, angle = 0; p < y.points; ++p) {
                    out[p] = value[angle];
                    in[p] = y.weight(p) * out[p];
                    angle = circle_y.turned(angle, y.frequency(wave, i));
                }
            }
        }
        for (int64_t wave = 0; wave < x.classes(); ++wave) {
            const float* value = circle_x.of(x, wave);
            for (int64_t p = 0; p < x.points; ++p)
                std::fill_n(x_in.row(wave * x.points + p), s.frequency_room, 0.0f);
            for (int64_t i = 0; i < x.count(wave); ++i) {
                float* out = x_out.row(x.first(wave) + i);
                std::fill_n(out, s.point_room, 0.0f);
                for (int64_t p = 0, angle = 0; p < x.points; ++p) {
                    out[p] = value[angle];
                    x_in.row(wave * x.points + p)[i] = x.weight(p) * out[p];
                    angle = circle_x.turned(angle, x.frequency(wave, i));
                }
            }
        }
        fill_filter(s, filter);
    }

    void fill_filter(const sizes& s, const disc& filter) const {
        const axis &y = s.y, &x = s.x;
        const double pixels = double(y.size) * double(x.size);
        for (int64_t y_wave = 0; y_wave < y.parities; ++y_wave)
            for (int64_t i = 0; i < y.count(y_wave); ++i) {
                const int64_t row = y.first(y_wave) + i, k = y.frequency(y_wave, i);
                for (const matrix& m : {even_sum, even_difference, odd_sum, odd_difference})
                    std::fill_n(m.row(row), x.parities * s.frequency_room, 0.0f);
                for (int64_t x_wave = 0; x_wave < x.parities; ++x_wave)
                    for (int64_t j = 0; j < x.count(x_wave); ++j) {
                        const int64_t at = x_wave * s.frequency_room + j;
                        const int64_t l = x.frequency(x_wave, j);
                        const four_bins m(filter, y, k, x, l);
                        // a frequency that is its own negative has one bin, not two
                        const double scale = (y.is_own_negative(k) ? 0.5 : 1) *
                                             (x.is_own_negative(l) ? 0.5 : 1) / pixels;
                        const double even = m.same + m.same_minus, odd = m.same - m.same_minus;
                        const double opposite_even = m.opposite + m.opposite_minus;
                        const double opposite_odd = m.opposite - m.opposite_minus;
                        even_sum.row(row)[at] = float(scale * (even + opposite_even));
                        even_difference.row(row)[at] = float(scale * (opposite_even - even));
                        odd_sum.row(row)[at] = float(scale * (odd + opposite_odd));
                        odd_difference.row(row)[at] = float(scale * (opposite_odd - odd));
                    }
            }
    }
};

// What a thread needs for the plane it is at, kept small enough for the second level of cache: what
// the way out needs lies where the way in had its folds. Rows that hold W have `line` floats before
// them.
struct plane_memory {
    matrix folded;     // (classes of y, points of y, W)
    matrix real;       // (waves of y, W): on the way in all there is, on the way out the real part
    matrix imaginary;  // likewise
    matrix points;     // (waves of y, classes of x, points of x)
    matrix spectrum, imaginary_spectrum;  // (waves of y, classes of x, frequencies of x)
    matrix tile;                          // (real and imaginary, classes of y, tile_rows, W)

    plane_memory(context& ctx, const sizes& s) {
        const int64_t parts = s.odd ? 2 : 1;
        folded.stride = odd_lines(s.x.size);
        real.stride = imaginary.stride = odd_lines(s.x.size + 2 * line);
        points.stride = odd_lines(s.x.classes() * s.point_room);
        spectrum.stride = imaginary_spectrum.stride = odd_lines(s.x.classes() * s.frequency_room);
        tile.stride = odd_lines(s.x.size);
        const int64_t way_in = s.y.classes() * s.y.points * folded.stride;
        const int64_t for_rows = (s.waves() + 1) * real.stride;
        const int64_t for_spectrum = s.waves() * spectrum.stride;
        const int64_t for_tile = parts * s.y.classes() * s.tile_rows * tile.stride;
        const int64_t way_out = for_tile + (parts - 1) * (for_rows + for_spectrum);
        float* memory = ctx.scratch<float>(std::max(way_in, way_out) + for_rows + for_spectrum +
                                           s.waves() * points.stride);
        if (ctx.planning()) return;
        folded.first = tile.first = memory;
        imaginary_spectrum.first = tile.first + for_tile;
        imaginary.first = imaginary_spectrum.first + (parts - 1) * for_spectrum + line;
        spectrum.first = memory + std::max(way_in, way_out);
        real.first = spectrum.first + for_spectrum + line;
        points.first = real.first - line + for_rows;
    }
};

// ---- in ----

// folded[class, point, :] from the rows of a plane.
template <int count>
void fold_rows(const sizes& s, const matrix& folded, const float* plane) {
    const float_lanes d;
    for (int64_t p = 0; p < s.y.points; ++p) {
        int64_t mirror[4];
        s.y.mirrors(p, mirror);
        for (int64_t x = 0; x < s.x.size; x += lane_count()) {
            float_vector v[count];
            HWY_UNROLL(4)
            for (int i = 0; i < count; ++i)
                v[i] = load_some(d, plane + mirror[i] * s.x.size + x, s.x.size - x);
            butterfly(v);
            HWY_UNROLL(4)
            for (int i = 0; i < count; ++i) hn::StoreU(v[i], d, folded.row(i * s.y.points + p) + x);
        }
    }
}

// points[wave, class, :] from rows of width W. Lanes behind the last point are not looked at.
template <int count>
void fold_columns(const sizes& s, const matrix& points, const matrix& rows) {
    const float_lanes d;
    const int64_t width = s.x.size, behind = lane_count() - 1;
    for (int64_t r = 0; r < s.waves(); ++r) {
        float* row = rows.row(r);
        row[width] = row[0];
        for (int64_t p = 0; p < s.x.points; p += lane_count()) {
            const auto backwards = [&](int64_t from) HWY_ATTR {
                return hn::Reverse(d, hn::LoadU(d, row + from - behind));
            };
            float_vector v[count];
            v[0] = hn::LoadU(d, row + p);
            v[1] = backwards(width - p);
            if constexpr (count == 4) {
                v[2] = backwards(width / 2 - p);
                v[3] = hn::LoadU(d, row + width / 2 + p);
            }
            butterfly(v);
            HWY_UNROLL(4)
            for (int i = 0; i < count; ++i)
                hn::StoreU(v[i], d, points.row(r) + i * s.point_room + p);
        }
    }
}

void transform(const sizes& s, const tables& t, const plane_memory& m, const float* plane) {
    (s.y.parities == 2 ? fold_rows<4> : fold_rows<2>)(s, m.folded, plane);
    for (int64_t wave = 0; wave < s.y.classes(); ++wave) {
        const int64_t first = s.y.first(wave);
        product<reading::plain>({m.real.row(first), m.real.stride},
                                {t.y_in.row(first), t.y_in.stride},
                                {m.folded.row(wave * s.y.points), m.folded.stride}, s.y.count(wave),
                                s.x.size, s.y.points);
    }
    (s.x.parities == 2 ? fold_columns<4> : fold_columns<2>)(s, m.points, m.real);
    for (int64_t wave = 0; wave < s.x.classes(); ++wave)
        product<reading::plain>({m.spectrum.first + wave * s.frequency_room, m.spectrum.stride},
                                {m.points.first + wave * s.point_room, m.points.stride},
                                {t.x_in.row(wave * s.x.points), t.x_in.stride}, s.waves(),
                                s.x.count(wave), s.x.points);
}

// ---- mix ----

// With CC = sum u cos(fy) cos(gx), CS = sum u cos(fy) sin(gx) and so on:
//   real       cc = p CC + q SS,   ss = q CC + p SS,   cs = p CS - q SC,   sc = p SC - q CS
//   imaginary  cc = t SC - s CS,   ss = s SC - t CS,   cs = s CC + t SS,   sc = -t CC - s SS
// where p, q are the even and s, t the odd sum and difference of the filter.
void mix(const sizes& s, const tables& t, const plane_memory& m) {
    const float_lanes d;
    for (int64_t f = 0; f < s.y.frequencies; ++f)
        for (int64_t parity = 0; parity < s.x.parities; ++parity) {
            const int64_t cosine = parity * s.frequency_room;
            const int64_t sine = (s.x.parities + parity) * s.frequency_room;
            for (int64_t i = 0; i < s.x.count(parity); i += lane_count()) {
                const auto value = [&](const matrix& from, bool y_sine, bool x_sine) HWY_ATTR {
                    return from.row(f + (y_sine ? s.y.frequencies : 0)) + (x_sine ? sine : cosine) +
                           i;
                };
                const auto weight = [&](const matrix& from)
                                        HWY_ATTR { return hn::LoadU(d, from.row(f) + cosine + i); };
                const float_vector cc = hn::LoadU(d, value(m.spectrum, false, false));
                const float_vector cs = hn::LoadU(d, value(m.spectrum, false, true));
                const float_vector sc = hn::LoadU(d, value(m.spectrum, true, false));
                const float_vector ss = hn::LoadU(d, value(m.spectrum, true, true));
                const auto put = [&](const matrix& to, bool y_sine, bool x_sine, float_vector v)
                                     HWY_ATTR { hn::StoreU(v, d, value(to, y_sine, x_sine)); };
                const float_vector p = weight(t.even_sum), q = weight(t.even_difference);
                put(m.spectrum, false, false, hn::MulAdd(p, cc, hn::Mul(q, ss)));
                put(m.spectrum, false, true, hn::MulSub(p, cs, hn::Mul(q, sc)));
                put(m.spectrum, true, false, hn::MulSub(p, sc, hn::Mul(q, cs)));
                put(m.spectrum, true, true, hn::MulAdd(p, ss, hn::Mul(q, cc)));
                if (!s.odd) continue;
                const float_vector u = weight(t.odd_sum), v = weight(t.odd_difference);
                put(m.imaginary_spectrum, false, false, hn::MulSub(v, sc, hn::Mul(u, cs)));
                put(m.imaginary_spectrum, false, true, hn::MulAdd(v, ss, hn::Mul(u, cc)));
                put(m.imaginary_spectrum, true, false, hn::NegMulSub(v, cc, hn::Mul(u, ss)));
                put(m.imaginary_spectrum, true, true, hn::MulSub(u, sc, hn::Mul(v, cs)));
            }
        }
}

// ---- out ----

// Rows of width W from points[wave, class, :]. Vectors that reach over the last point leave what
// lies behind it as it is, since other mirrors have been written there.
template <int count>
void unfold_columns(const sizes& s, const matrix& rows, const matrix& points) {
    const float_lanes d;
    const int64_t width = s.x.size, behind = lane_count() - 1;
    for (int64_t r = 0; r < s.waves(); ++r) {
        float* row = rows.row(r);
        for (int64_t p = 0; p < s.x.points; p += lane_count()) {
            const int64_t left = std::min(s.x.points - p, lane_count());
            const auto forwards = [&](int64_t to, float_vector v)
                                      HWY_ATTR { store_some(v, d, row + to, left); };
            const auto backwards = [&](int64_t to, float_vector v) HWY_ATTR {
                float* from = row + to - behind;
                const auto others = hn::FirstN(d, size_t(lane_count() - left));
                hn::StoreU(hn::IfThenElse(others, hn::LoadU(d, from), hn::Reverse(d, v)), d, from);
            };
            float_vector v[count];
            HWY_UNROLL(4)
            for (int i = 0; i < count; ++i)
                v[i] = hn::LoadU(d, points.row(r) + i * s.point_room + p);
            butterfly(v);
            forwards(p, v[0]);
            backwards(width - p, v[1]);
            if constexpr (count == 4) {
                backwards(width / 2 - p, v[2]);
                forwards(width / 2 + p, v[3]);
            }
        }
    }
}

void rows_of(const sizes& s, const tables& t, const plane_memory& m, const matrix& rows,
             const matrix& spectrum) {
    for (int64_t wave = 0; wave < s.x.classes(); ++wave)
        product<reading::plain>({m.points.first + wave * s.point_room, m.points.stride},
                                {spectrum.first + wave * s.frequency_room, spectrum.stride},
                                {t.x_out.row(s.x.first(wave)), t.x_out.stride}, s.waves(),
                                s.x.points, s.x.count(wave));
    (s.x.parities == 2 ? unfold_columns<4> : unfold_columns<2>)(s, rows, m.points);
}

// Writes the rows of points [begin, end) of y and of their mirrors from what lies in the tile:
// |v + constant| - level.
template <int count>
void unfold_tile(const sizes& s, float* plane, const matrix& tile, int64_t begin, int64_t end,
                 float constant, float level) {
    const float_lanes d;
    const float_vector added = hn::Set(d, constant), subtracted = hn::Set(d, level);
    const int64_t width = s.x.size;
    for (int64_t p = begin; p < end; ++p) {
        int64_t mirror[4];
        s.y.mirrors(p, mirror);
        for (int64_t x = 0; x < width; x += lane_count()) {
            const auto load_part = [&](float_vector(&v)[count], int64_t part) HWY_ATTR {
                HWY_UNROLL(4)
                for (int i = 0; i < count; ++i)
                    v[i] = hn::LoadU(d, tile.row((part * count + i) * s.tile_rows + p - begin) + x);
                butterfly(v);
            };
            float_vector v[count];
            load_part(v, 0);
            HWY_UNROLL(4)
            for (int i = 0; i < count; ++i) v[i] = hn::Abs(hn::Add(v[i], added));
            if (s.odd) {
                float_vector imaginary[count];
                load_part(imaginary, 1);
                HWY_UNROLL(4)
                for (int i = 0; i < count; ++i)
                    v[i] = hn::Sqrt(hn::MulAdd(v[i], v[i], hn::Mul(imaginary[i], imaginary[i])));
            }
            HWY_UNROLL(4)
            for (int i = 0; i < count; ++i)
                store_some(hn::Sub(v[i], subtracted), d, plane + mirror[i] * width + x, width - x);
        }
    }
}

void transform_back(const sizes& s, const tables& t, const plane_memory& m, float* plane,
                    float constant, float level) {
    rows_of(s, t, m, m.real, m.spectrum);
    if (s.odd) rows_of(s, t, m, m.imaginary, m.imaginary_spectrum);
    for (int64_t begin = 0; begin < s.y.points; begin += s.tile_rows) {
        const int64_t end = std::min(begin + s.tile_rows, s.y.points);
        for (int64_t part = 0; part < (s.odd ? 2 : 1); ++part) {
            const matrix& rows = part == 0 ? m.real : m.imaginary;
            for (int64_t wave = 0; wave < s.y.classes(); ++wave) {
                const int64_t first = s.y.first(wave);
                product<reading::transposed>(
                    {m.tile.row((part * s.y.classes() + wave) * s.tile_rows), m.tile.stride},
                    {t.y_out.row(first) + begin, t.y_out.stride}, {rows.row(first), rows.stride},
                    end - begin, s.x.size, s.y.count(wave));
            }
        }
        (s.y.parities == 2 ? unfold_tile<4> : unfold_tile<2>)(s, plane, m.tile, begin, end,
                                                              constant, level);
    }
}

void low_pass(context& ctx, const view& y, const view& x, const view& mean, const view& std,
              const mim_low_pass_params& params) {
    const disc filter(params);
    const sizes s(ctx, filter, x);
    const tables t(ctx, s);
    // a thread's memory is made by its number, all before the work
    plane_memory* memory = ctx.scratch<plane_memory>(s.threads);
    for (int64_t i = 0; i < s.threads; ++i) {
        const plane_memory own(ctx, s);
        if (!ctx.planning()) memory[i] = own;
    }
    if (ctx.planning()) return;
    t.fill(s, filter);
    const bool keeps_constant =
        filter.keeps(filter.to_middle(s.y.size), filter.to_middle(s.x.size));
    const int64_t pixels = s.y.size * s.x.size;
    parallel_ranges(ctx, s.planes, 1, [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
        for (int64_t plane = begin; plane < end; ++plane) {
            const int64_t c = plane % s.channels;
            const float level = data<float>(mean)[c] / data<float>(std)[c];
            transform(s, t, memory[thread], data<float>(x) + plane * pixels);
            mix(s, t, memory[thread]);
            transform_back(s, t, memory[thread], data<float>(y) + plane * pixels,
                           keeps_constant ? level : 0.0f, level);
        }
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(low_pass);

void processor::low_pass(context& ctx, const view& y, const view& x, const view& mean,
                         const view& std, const mim_low_pass_params& params) {
    HWY_DYNAMIC_DISPATCH(low_pass)(ctx, y, x, mean, std, params);
}

}  // namespace mim::cpu
#endif
