#include "core/view.h"

#include <limits>

namespace mim {

namespace {

std::string shape_text(const int64_t* shape, int32_t rank) {
    std::string text = "(";
    for (int32_t i = 0; i < rank; ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + ")";
}

[[noreturn]] void fail_view(const char* name, const std::string& problem) {
    fail_argument(std::string(name) + problem);
}

}  // namespace

bool is_dense(const view& v) {
    int64_t expected = 1;
    for (int32_t i = v.rank - 1; i >= 0; --i) {
        if (v.shape[i] != 1 && v.stride[i] != expected) return false;
        expected *= v.shape[i];
    }
    return true;
}

bool overlap(const view& a, const view& b) {
    const char *first = data<char>(a), *second = data<char>(b);
    return first < second + elements(b) * dtype_bytes(b.dtype) &&
           second < first + elements(a) * dtype_bytes(a.dtype);
}

std::string describe(const view& v) {
    const int32_t rank = v.rank < 0 ? 0 : v.rank > MIM_MAX_RANK ? MIM_MAX_RANK : v.rank;
    return std::string(dtype_name(v.dtype)) + " " + shape_text(v.shape, rank);
}

void require_present(std::initializer_list<named_pointer> arguments) {
    for (const named_pointer& a : arguments)
        if (a.pointer == nullptr) fail_view(a.name, " is null");
}

void require_view(const view& v, const char* name, int32_t rank) {
    if (v.size != int32_t(sizeof(view)))
        fail_view(name, ".size is " + std::to_string(v.size) + ", expected " +
                            std::to_string(sizeof(view)));
    const int64_t bytes = dtype_bytes(v.dtype);
    if (bytes == 0)
        fail_view(name, ".dtype is " + std::to_string(v.dtype) + ", which is no mim_dtype");
    if (v.rank < 1 || v.rank > MIM_MAX_RANK)
        fail_view(name, ".rank is " + std::to_string(v.rank) + ", expected 1 to " +
                            std::to_string(MIM_MAX_RANK));
    if (rank != 0 && v.rank != rank)
        fail_view(name, " has rank " + std::to_string(v.rank) + " " + shape_text(v.shape, v.rank) +
                            ", expected rank " + std::to_string(rank));
    int64_t last = 0;  // offset of the furthest element
    for (int32_t i = 0; i < v.rank; ++i) {
        if (v.shape[i] < 1)
            fail_view(name, " has shape " + shape_text(v.shape, v.rank) +
                                "; every extent must be at least 1");
        if (v.stride[i] < 0)
            fail_view(name, " has a negative stride along axis " + std::to_string(i));
        int64_t reach;
        if (__builtin_mul_overflow(v.shape[i] - 1, v.stride[i], &reach) ||
            __builtin_add_overflow(last, reach, &last) ||
            last > std::numeric_limits<int64_t>::max() / 16)
            fail_view(name,
                      " has a shape and strides that overflow: " + shape_text(v.shape, v.rank));
    }
    if (v.data == nullptr) fail_view(name, ".data is null");
    if (reinterpret_cast<uintptr_t>(v.data) % uintptr_t(bytes) != 0)
        fail_view(name,
                  ".data is not aligned to its element of " + std::to_string(bytes) + " bytes");
}

void require_dense(const view& v, const char* name, int32_t rank) {
    require_view(v, name, rank);
    if (!is_dense(v))
        fail_view(name, " is not dense: shape " + shape_text(v.shape, v.rank) + ", strides " +
                            shape_text(v.stride, v.rank) + "; copy it first");
}

void require_last_axis_dense(const view& v, const char* name, int32_t rank) {
    require_view(v, name, rank);
    if (v.shape[v.rank - 1] != 1 && v.stride[v.rank - 1] != 1)
        fail_view(name, " has stride " + std::to_string(v.stride[v.rank - 1]) +
                            " along its last axis, expected 1");
}

void require_rows(const view& v, const char* name, int64_t rows, int64_t cols, int32_t dtype) {
    require_last_axis_dense(v, name, 2);
    require_dtype(v, name, dtype);
    require_shape(v, name, {rows, cols});
    if (rows > 1 && v.stride[0] < cols)
        fail_argument(std::string(name) + " has row stride " + std::to_string(v.stride[0]) +
                      ", expected at least its " + std::to_string(cols) + " columns");
}

void require_dtype(const view& v, const char* name, int32_t dtype) {
    if (v.dtype != dtype)
        fail_view(name, " is " + describe(v) + ", expected dtype " + dtype_name(dtype));
}

void require_compute_dtype(const view& v, const char* name) {
    if (v.dtype != MIM_F32 && v.dtype != MIM_BF16)
        fail_view(name, " is " + describe(v) + ", expected dtype f32 or bf16");
}

void require_same_dtype(const view& v, const char* name, const view& other,
                        const char* other_name) {
    if (v.dtype != other.dtype)
        fail_view(name, " is " + describe(v) + ", expected the dtype of " + other_name + ", " +
                            dtype_name(other.dtype));
}

void require_same_shape(const view& v, const char* name, const view& other,
                        const char* other_name) {
    bool same = v.rank == other.rank;
    for (int32_t i = 0; same && i < v.rank; ++i) same = v.shape[i] == other.shape[i];
    if (!same)
        fail_view(name, " has shape " + shape_text(v.shape, v.rank) + ", expected the shape of " +
                            other_name + ", " + shape_text(other.shape, other.rank));
}

void require_shape(const view& v, const char* name, std::initializer_list<int64_t> shape) {
    bool same = v.rank == int32_t(shape.size());
    for (int32_t i = 0; same && i < v.rank; ++i) same = v.shape[i] == shape.begin()[i];
    if (!same)
        fail_view(name, " has shape " + shape_text(v.shape, v.rank) + ", expected " +
                            shape_text(shape.begin(), int32_t(shape.size())));
}

void require_dense_shape(const view& v, const char* name, std::initializer_list<int64_t> shape,
                         int32_t dtype) {
    require_dense(v, name);
    require_dtype(v, name, dtype);
    require_shape(v, name, shape);
}

}  // namespace mim
