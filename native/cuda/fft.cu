// cuFFT behind fft.h.
#include "cuda/fft.h"

#include <cufft.h>

#include <map>
#include <new>

#include "core/error.h"

namespace mim::cuda {

namespace {

void require(cufftResult status, const std::string& tried) {
    if (status == CUFFT_SUCCESS) return;
    if (status == CUFFT_ALLOC_FAILED) throw std::bad_alloc();
    throw error(MIM_ERROR_INTERNAL, tried + ": cuFFT says " + std::to_string(int(status)));
}

std::string describe(const transform& t) {
    return "a transform of " + std::to_string(t.planes) + " planes of (" +
           std::to_string(t.height) + ", " + std::to_string(t.width) + ")";
}

cufftType type_of(transform_kind kind) {
    return kind == transform_kind::real_to_complex      ? CUFFT_R2C
           : kind == transform_kind::complex_to_complex ? CUFFT_C2C
                                                        : CUFFT_C2R;
}

// Its scratch is the caller's.
struct plan {
    cufftHandle handle = 0;
    size_t workspace = 0;

    explicit plan(const transform& t) {
        require(cufftCreate(&handle), describe(t));
        long long sizes[2] = {t.height, t.width};
        cufftResult made = cufftSetAutoAllocation(handle, 0);
        if (made == CUFFT_SUCCESS)
            made = cufftMakePlanMany64(handle, 2, sizes, nullptr, 1, 0, nullptr, 1, 0,
                                       type_of(t.kind), t.planes, &workspace);
        if (made != CUFFT_SUCCESS) cufftDestroy(handle);
        require(made, describe(t));
    }
    ~plan() { cufftDestroy(handle); }
    plan(const plan&) = delete;
    plan& operator=(const plan&) = delete;
};

}  // namespace

struct fft::library {
    std::map<transform, plan> plans;

    const plan& of(const transform& t) { return plans.try_emplace(t, t).first->second; }
};

fft::fft() : library_(std::make_unique<library>()) {}
fft::~fft() = default;

int64_t fft::workspace_bytes(const transform& t) {
    return int64_t(library_->of(t).workspace);
}

void fft::run(const transform& t, void* to, void* from, void* workspace, stream s) {
    const plan& made = library_->of(t);
    require(cufftSetStream(made.handle, s), describe(t));
    require(cufftSetWorkArea(made.handle, workspace), describe(t));
    switch (t.kind) {
        case transform_kind::real_to_complex:
            return require(cufftExecR2C(made.handle, static_cast<cufftReal*>(from),
                                        static_cast<cufftComplex*>(to)),
                           describe(t));
        case transform_kind::complex_to_complex:
            return require(cufftExecC2C(made.handle, static_cast<cufftComplex*>(from),
                                        static_cast<cufftComplex*>(to), CUFFT_INVERSE),
                           describe(t));
        case transform_kind::complex_to_real:
            return require(cufftExecC2R(made.handle, static_cast<cufftComplex*>(from),
                                        static_cast<cufftReal*>(to)),
                           describe(t));
    }
}

}  // namespace mim::cuda
