// The CUDA runtime behind runtime.h.
#include "cuda/runtime.h"

#include <cublasLt.h>
#include <cufft.h>

#include <new>

#include "core/error.h"

namespace mim::cuda {

namespace {

constexpr int32_t least_major = 8;  // bf16 on tensor cores, copies that do not wait

std::string version(int number) {
    return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

}  // namespace

void require(cudaError_t status, const std::string& tried) {
    if (status == cudaSuccess) return;
    if (status == cudaErrorMemoryAllocation) throw std::bad_alloc();
    throw error(MIM_ERROR_INTERNAL, tried + ": CUDA says " + cudaGetErrorName(status) + ", " +
                                        cudaGetErrorString(status));
}

device_properties open_device(int32_t index) {
    int32_t count = 0;
    const cudaError_t found = cudaGetDeviceCount(&count);
    if (found != cudaSuccess)
        throw error(MIM_ERROR_DEVICE_UNAVAILABLE, std::string("no CUDA device can be had: ") +
                                                      cudaGetErrorName(found) + ", " +
                                                      cudaGetErrorString(found));
    if (index >= count)
        throw error(MIM_ERROR_DEVICE_UNAVAILABLE,
                    "params.device_index is " + std::to_string(index) + ", but there are " +
                        std::to_string(count) + " CUDA devices, numbered from 0");
    use_device(index);
    cudaDeviceProp properties;
    require(cudaGetDeviceProperties(&properties, index), "reading the device's properties");
    const std::string capability =
        "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
    if (properties.major < least_major)
        throw error(MIM_ERROR_DEVICE_UNAVAILABLE, std::string(properties.name) + " computes as " +
                                                      capability + ", expected sm_80 or later");
    int driver = 0, runtime = 0, fft = 0, kilohertz = 0;
    require(cudaDeviceGetAttribute(&kilohertz, cudaDevAttrClockRate, index),
            "reading the device's clock");
    require(cudaDriverGetVersion(&driver), "reading the driver's version");
    require(cudaRuntimeGetVersion(&runtime), "reading the runtime's version");
    cufftGetVersion(&fft);
    const size_t lt = cublasLtGetVersion();
    return {.description = std::string(properties.name) + ", " + capability + ", " +
                           std::to_string(properties.totalGlobalMem >> 20) +
                           " MiB, driver for CUDA " + version(driver) + ", runtime " +
                           version(runtime) + ", cuBLASLt " + std::to_string(lt) + ", cuFFT " +
                           std::to_string(fft),
            .multiprocessors = properties.multiProcessorCount,
            .shared_bytes_per_block = int64_t(properties.sharedMemPerBlockOptin),
            .cache_bytes = properties.l2CacheSize,
            .clock_hertz = 1e3 * kilohertz};
}

void use_device(int32_t index) {
    require(cudaSetDevice(index), "choosing CUDA device " + std::to_string(index));
}

stream make_stream() {
    stream s;
    require(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), "making a stream");
    return s;
}

void destroy_stream(stream s) noexcept {
    cudaStreamDestroy(s);
}

void synchronize(stream s) {
    require(cudaStreamSynchronize(s), "waiting for the device");
}

event make_event() {
    event e;
    require(cudaEventCreate(&e), "making an event");
    return e;
}

void destroy_event(event e) noexcept {
    cudaEventDestroy(e);
}

void record(event e, stream s) {
    require(cudaEventRecord(e, s), "recording an event");
}

void wait_for(event e) {
    require(cudaEventSynchronize(e), "waiting for an event");
}

void wait_in(stream s, event e) {
    require(cudaStreamWaitEvent(s, e, 0), "making a stream wait for an event");
}

double seconds_between(event first, event second) {
    float milliseconds = 0;
    wait_for(second);
    require(cudaEventElapsedTime(&milliseconds, first, second), "measuring time");
    return 1e-3 * milliseconds;
}

void* allocate_device(int64_t bytes) {
    void* memory = nullptr;
    require(cudaMalloc(&memory, size_t(bytes)), "allocating device memory");
    cudaError_t cleared = cudaMemset(memory, 0, size_t(bytes));
    // our stream does not wait for the one that clears
    if (cleared == cudaSuccess) cleared = cudaStreamSynchronize(cudaStreamLegacy);
    if (cleared != cudaSuccess) cudaFree(memory);
    require(cleared, "clearing device memory");
    return memory;
}

void release_device(void* memory) noexcept {
    cudaFree(memory);
}

void copy_bytes(void* to, const void* from, int64_t bytes, stream s) {
    require(cudaMemcpyAsync(to, from, size_t(bytes), cudaMemcpyDefault, s), "copying");
}

void clear_bytes(void* to, int64_t bytes, stream s) {
    require(cudaMemsetAsync(to, 0, size_t(bytes), s), "clearing device memory");
}

void* allocate_host(int64_t bytes) {
    void* memory = nullptr;
    require(cudaMallocHost(&memory, size_t(bytes)), "allocating pinned memory");
    return memory;
}

void release_host(void* memory) noexcept {
    cudaFreeHost(memory);
}

void begin_recording(stream s) {
    require(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed), "recording a step");
}

graph end_recording(stream s) {
    cudaGraph_t captured = nullptr;
    const cudaError_t ended = cudaStreamEndCapture(s, &captured);
    if (ended != cudaSuccess) cudaGetLastError();  // no error of the next launch
    require(ended, "recording a step");
    graph made = nullptr;
    const cudaError_t status = cudaGraphInstantiate(&made, captured, 0);
    cudaGraphDestroy(captured);
    require(status, "making a graph of a step");
    return made;
}

void cancel_recording(stream s) noexcept {
    cudaGraph_t captured = nullptr;
    cudaStreamEndCapture(s, &captured);
    if (captured != nullptr) cudaGraphDestroy(captured);
    cudaGetLastError();  // a recording that failed is no error of the next launch
}

void start(graph g, stream s) {
    require(cudaGraphLaunch(g, s), "starting a step");
}

void destroy_graph(graph g) noexcept {
    cudaGraphExecDestroy(g);
}

}  // namespace mim::cuda
