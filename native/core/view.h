// Views: reading them, and checking them. Every check names the argument, what was expected and
// what came.
#pragma once

#include <initializer_list>
#include <string>

#include "core/dtype.h"
#include "mim/base.h"

namespace mim {

using view = mim_view;

template <class T>
T* data(const view& v) {
    return static_cast<T*>(v.data);
}
template <class T>
T* data(const view* v) {  // absent optional views give null
    return v == nullptr ? nullptr : static_cast<T*>(v->data);
}

inline int64_t elements(const view& v) {
    int64_t n = 1;
    for (int32_t i = 0; i < v.rank; ++i) n *= v.shape[i];
    return n;
}

MIM_API bool is_dense(const view& v);                // exported for the CUDA backend
MIM_API bool overlap(const view& a, const view& b);  // of the memory of two dense views
MIM_API std::string describe(const view& v);         // "f32 (2, 3, 4)"

struct named_pointer {
    const void* pointer;
    const char* name;
};
// Null checks: MIM_ARG(ctx) pairs a pointer with its name.
#define MIM_ARG(x)         \
    ::mim::named_pointer { \
        (x), #x            \
    }
void require_present(std::initializer_list<named_pointer> arguments);

// Each require_* first checks that the view itself is sound: its size field, rank, dtype, positive
// extents, non-null data aligned to its element, no overflow of its byte count. `rank` 0 means any.
void require_view(const view& v, const char* name, int32_t rank = 0);
void require_dense(const view& v, const char* name, int32_t rank = 0);
void require_last_axis_dense(const view& v, const char* name, int32_t rank);
// A matrix whose columns are dense and whose rows may lie apart, but not on top of each other.
void require_rows(const view& v, const char* name, int64_t rows, int64_t cols, int32_t dtype);
void require_dtype(const view& v, const char* name, int32_t dtype);
void require_compute_dtype(const view& v, const char* name);  // f32 or bf16
void require_same_dtype(const view& v, const char* name, const view& other, const char* other_name);
void require_same_shape(const view& v, const char* name, const view& other, const char* other_name);
void require_shape(const view& v, const char* name, std::initializer_list<int64_t> shape);
// Dense f32 (unless told otherwise) of exactly this shape: the usual parameter or statistic.
void require_dense_shape(const view& v, const char* name, std::initializer_list<int64_t> shape,
                         int32_t dtype = MIM_F32);

// A params struct: present, and of the size that this library was built with.
template <class Params>
void require_params(const Params* params, const char* name = "params") {
    if (params == nullptr) fail_argument(std::string(name) + " is null");
    if (params->size != int32_t(sizeof(Params)))
        fail_argument(std::string(name) + ".size is " + std::to_string(params->size) +
                      ", expected " + std::to_string(sizeof(Params)) +
                      "; set it to sizeof the struct");
}

}  // namespace mim
