// Finds libmim_cuda and opens it.
#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <vector>

#include "core/backend.h"
#include "core/error.h"
#include "core/interface_hash.h"

namespace mim {

namespace {

constexpr const char* file_name = "libmim_cuda.so";
constexpr const char* variable = "MIM_CUDA_LIBRARY";

using make_backend = backend*(int32_t index);
using built_against = uint64_t();

// The folder of the library that this function is part of, with a slash at its end.
std::string own_folder() {
    Dl_info info;
    if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr)
        return "";
    const std::string path = info.dli_fname;
    return path.substr(0, path.find_last_of('/') + 1);
}

// A path that was named is the only one that is tried.
std::vector<std::string> candidates() {
    if (const char* named = std::getenv(variable); named != nullptr && *named != 0) return {named};
    return {own_folder() + file_name, file_name};
}

template <class Function>
Function* find(void* library, const char* name, const std::string& path) {
    void* symbol = dlsym(library, name);
    if (symbol == nullptr)
        throw error(MIM_ERROR_DEVICE_UNAVAILABLE,
                    path + " was opened for a CUDA device, but has no " + name);
    return reinterpret_cast<Function*>(symbol);
}

make_backend* open_library() {
    std::string tried;
    for (const std::string& path : candidates()) {
        void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) {
            tried += (tried.empty() ? "" : "; ") + path + " (" + dlerror() + ")";
            continue;
        }
        if (find<built_against>(library, "mim_cuda_built_against", path)() != MIM_INTERFACE_HASH)
            throw error(MIM_ERROR_DEVICE_UNAVAILABLE,
                        path + " was built against another version of libmim than this one, " +
                            MIM_VERSION);
        return find<make_backend>(library, "mim_cuda_make_backend", path);
    }
    throw error(MIM_ERROR_DEVICE_UNAVAILABLE,
                "a CUDA device was asked for, but the CUDA backend cannot be opened; tried " +
                    tried + ". " + variable + " may name its file");
}

}  // namespace

std::shared_ptr<backend> make_cuda_backend(int32_t device_index) {
    static std::mutex mutex;
    static make_backend* make = nullptr;  // a failure is tried again next time
    {
        const std::lock_guard lock(mutex);
        if (make == nullptr) make = open_library();
    }
    return std::shared_ptr<backend>(make(device_index));
}

}  // namespace mim
