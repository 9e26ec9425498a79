// The emulator itself: it runs what CUDA defines, and finds what a GPU would crash, hang or be
// silently wrong on.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <numeric>
#include <thread>
#include <vector>

#include "cuda/device.h"
#include "cuda/runtime.h"

namespace mim::cuda {

namespace {

// An array on the emulated device.
template <class T>
class array {
public:
    explicit array(const std::vector<T>& values)
        : data_(static_cast<T*>(allocate_device(bytes(values.size())))), count_(values.size()) {
        copy_bytes(data_, values.data(), bytes(count_), nullptr);
    }
    ~array() { release_device(data_); }
    array(const array&) = delete;
    array& operator=(const array&) = delete;
    operator T*() const { return data_; }
    std::vector<T> values() const {
        std::vector<T> v(count_);
        copy_bytes(v.data(), data_, bytes(count_), nullptr);
        return v;
    }

private:
    static int64_t bytes(size_t count) { return int64_t(count * sizeof(T)); }
    T* data_;
    size_t count_;
};

void expect_failure(const std::function<void()>& body, const std::string& words) {
    try {
        body();
        ADD_FAILURE() << "expected a failure that says: " << words;
    } catch (const std::logic_error& e) {
        EXPECT_NE(std::string::npos, std::string(e.what()).find(words)) << e.what();
        EXPECT_NE(std::string::npos, std::string(e.what()).find("simt_test.cpp:")) << e.what();
    }
}

__global__ void number_kernel(int* out) {
    const dim3 size = blockDim;
    const unsigned in_block = threadIdx.x + size.x * (threadIdx.y + size.y * threadIdx.z);
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    out[block * size.x * size.y * size.z + in_block] += int(block * 1000 + in_block);
}

TEST(simt, every_thread_of_every_block_runs_once) {
    const array<int> out(std::vector<int>(3 * 2 * 2 * 64, 0));
    launch(nullptr, {{3, 2, 2}, {8, 4, 2}}, number_kernel, out.operator int*());
    const std::vector<int> got = out.values();
    for (int i = 0; i < int(got.size()); ++i) EXPECT_EQ(i / 64 * 1000 + i % 64, got[size_t(i)]);
}

// Each thread hands its number to the next one through shared memory.
__global__ void pass_on_kernel(float* out, bool with_barrier) {
    block_memory memory;
    float* passed = memory.take<float>(blockDim.x);
    passed[threadIdx.x] = float(threadIdx.x);
    if (with_barrier) wait_block();
    out[blockIdx.x * blockDim.x + threadIdx.x] = passed[(threadIdx.x + 1) % blockDim.x];
}

bool all_passed_on(const std::vector<float>& got, int threads) {
    for (size_t i = 0; i < got.size(); ++i)
        if (got[i] != float((int(i) % threads + 1) % threads)) return false;
    return true;
}

TEST(simt, a_missing_barrier_shows) {
    for (const int threads : {32, 96}) {
        const array<float> out(std::vector<float>(size_t(2 * threads), -1.0f));
        const auto run = [&](bool with_barrier) {
            launch(nullptr, {2, unsigned(threads), shared_bytes<float>(threads)}, pass_on_kernel,
                   out.operator float*(), with_barrier);
            return all_passed_on(out.values(), threads);
        };
        EXPECT_TRUE(run(true));
        EXPECT_FALSE(run(false));
    }
}

__global__ void read_kernel(float* to, const float* from, int64_t offset) {
    if (threadIdx.x == 5) *to = from[offset];
}
__global__ void write_kernel(float* to, int64_t offset) {
    if (threadIdx.x == 5) to[offset] = 1;
}

TEST(simt, accesses_outside_of_device_memory_are_found) {
    const array<float> ten(std::vector<float>(10, 0.0f)), sixteen(std::vector<float>(16, 0.0f));
    const auto read = [&](const float* from, int64_t offset) {
        return [=, &ten] {
            launch(nullptr, {1, 32}, read_kernel, ten.operator float*(), from, offset);
        };
    };
    const auto write = [&](float* to, int64_t offset) {
        return [=] { launch(nullptr, {1, 32}, write_kernel, to, offset); };
    };
    expect_failure(read(sixteen, 16), "0 bytes behind device memory of 64 bytes");
    expect_failure(read(sixteen, 17), "thread (5, 0, 0) of block (0, 0, 0)");
    expect_failure(write(sixteen, 1000), "3936 bytes behind device memory of 64 bytes");
    expect_failure(read(sixteen, -2000), "device memory");
#if !defined( \
    __SANITIZE_ADDRESS__)  // which ends the process itself at the bytes up to the next page
    expect_failure(write(ten, 10), "bytes beside device memory of 40 bytes were written");
    expect_failure(write(ten, -1), "bytes beside device memory of 40 bytes were written");
#endif
    read(sixteen, 15)();  // and what lies within is not
    write(ten, 9)();
    expect_failure(read(nullptr, 0), "outside of any memory");
}

TEST(simt, memory_that_was_released_stays_closed) {
    const array<float> to(std::vector<float>(1, 0.0f));
    float* gone = static_cast<float*>(allocate_device(64));
    release_device(gone);
    const array<float> next(std::vector<float>(16, 0.0f));
    expect_failure(
        [&] {
            launch(nullptr, {1, 32}, read_kernel, to.operator float*(),
                   static_cast<const float*>(gone), int64_t(0));
        },
        "no longer, given out");
}

TEST(simt, host_and_device_memory_are_apart) {
    float here = 0;
    expect_failure(
        [&] {
            launch(nullptr, {1, 32}, write_kernel, &here, int64_t(0));
        },
        "not device memory");
    const array<float> there(std::vector<float>(4, 0.0f));
    EXPECT_DEATH({ *static_cast<volatile float*>(there.operator float*()) = 1; }, "");
}

std::atomic<bool> kernel_runs, other_has_faulted;
std::atomic<int> faults;

__global__ void waiting_kernel(int* out) {
    kernel_runs = true;
    while (!other_has_faulted) std::this_thread::yield();
    out[threadIdx.x] = 1;
}

TEST(simt, a_fault_of_another_thread_is_left_to_the_handler_before) {
    struct sigaction counts = {}, before = {};
    counts.sa_flags = SA_SIGINFO;
    counts.sa_sigaction = [](int, siginfo_t*, void*) { ++faults; };
    sigaction(SIGSEGV, &counts, &before);
    std::thread other([] {
        while (!kernel_runs) std::this_thread::yield();
        raise(SIGSEGV);
        other_has_faulted = true;
    });
    const array<int> out(std::vector<int>(32, 0));
    launch(nullptr, {1, 32}, waiting_kernel, out.operator int*());
    other.join();
    sigaction(SIGSEGV, &before, nullptr);
    EXPECT_EQ(1, faults);
    EXPECT_EQ(std::vector<int>(32, 1), out.values());
}

__global__ void shared_kernel(float* out, int taken, int offset) {
    block_memory memory;
    float* values = memory.take<float>(taken);
    float* others = memory.take<float>(taken);
    values[threadIdx.x] = others[threadIdx.x] = 1;
    if (threadIdx.x == 0) values[offset] = 2;
    out[threadIdx.x] = values[threadIdx.x];
}

TEST(simt, shared_memory_has_its_size) {
    const array<float> out(std::vector<float>(32, 0.0f));
    const auto run = [&](int taken, int offset, int64_t bytes) {
        return [=, &out] {
            launch(nullptr, {1, 32, bytes}, shared_kernel, out.operator float*(), taken, offset);
        };
    };
    run(32, 31, 256)();
    expect_failure(run(32, 32, 256), "shared memory");
    expect_failure(run(32, 31, 255), "it takes 256 bytes of shared memory and was given 255");
    expect_failure(run(32, 31, 300 << 10), "of shared memory");
#if !defined(__SANITIZE_ADDRESS__)
    expect_failure(run(33, -1, 288), "bytes beside shared memory of 132 bytes were written");
#endif
}

__global__ void untouched_kernel(float* out) {
    block_memory memory;
    out[threadIdx.x] = memory.take<float>(32)[threadIdx.x];
}

TEST(simt, shared_memory_begins_as_nothing) {
    const array<float> out(std::vector<float>(32, 0.0f));
    launch(nullptr, {1, 32, 128}, untouched_kernel, out.operator float*());
    for (const float value : out.values()) EXPECT_TRUE(std::isnan(value));
}

__global__ void divided_kernel() {
    if (threadIdx.x < 16)
        wait_block();
    else
        wait_warp();
    wait_block();
}
__global__ void empty_kernel() {}

TEST(simt, what_hangs_or_cannot_be_launched_is_told) {
    expect_failure(
        [] {
            launch(nullptr, {1, 32}, divided_kernel);
        },
        "its threads wait for ever: 16 at the block's barrier, 16 at one of a warp");
    expect_failure([] { launch(nullptr, {1, 33}, empty_kernel); }, "no multiple of 32");
    expect_failure([] { launch(nullptr, {1, 2048}, empty_kernel); }, "a block of 2048 threads");
    expect_failure([] { launch(nullptr, {{1, 70000}, 32}, empty_kernel); }, "a grid of");
    expect_failure([] { launch(nullptr, {0, 32}, empty_kernel); }, "a grid of (0, 1, 1)");
}

__global__ void warp_kernel(int* sums, uint32_t* lanes, const float* four, float* copied) {
    const int lane = int(threadIdx.x % 32);
    int sum = int(threadIdx.x);
    for (int i = 16; i > 0; i /= 2) sum += shuffle_xor(sum, i);
    sums[threadIdx.x] = sum + 1000 * shuffle(lane, 7);
    lanes[threadIdx.x] = lanes_where(lane % 3 == 0);
    if (!any_lane(lane == 31) || any_lane(false)) lanes[threadIdx.x] = 0;
    const vector<float, 4> v = load_vector<float, 4>(four);
    store_vector(copied + 4 * threadIdx.x, v);
}

TEST(simt, lanes_exchange_values) {
    const array<int> sums(std::vector<int>(64, 0));
    const array<uint32_t> lanes(std::vector<uint32_t>(64, 0));
    const array<float> four({1, 2, 3, 4}), copied(std::vector<float>(256, 0.0f));
    launch(nullptr, {1, 64}, warp_kernel, sums.operator int*(), lanes.operator uint32_t*(),
           static_cast<const float*>(four), copied.operator float*());
    for (int i = 0; i < 64; ++i) {
        EXPECT_EQ((i < 32 ? 496 : 496 + 32 * 32) + 7000, sums.values()[size_t(i)]);
        EXPECT_EQ(0x49249249u, lanes.values()[size_t(i)]);
    }
    EXPECT_EQ(4, copied.values()[255]);
}

__global__ void vector_kernel(float* out, const float* from) {
    store_vector(out, load_vector<float, 4>(from));
}

TEST(simt, vectors_must_be_aligned) {
    const array<float> out(std::vector<float>(4, 0.0f)), from(std::vector<float>(8, 0.0f));
    expect_failure(
        [&] {
            launch(nullptr, {1, 32}, vector_kernel, out.operator float*(),
                   static_cast<const float*>(from + 1));
        },
        "not aligned to 16 bytes");
}

// Numbers that one stream copies to a place, each over the one before, and another one passes on.
std::vector<int> passed_on(bool work_waits, bool copies_wait) {
    constexpr int count = 8;
    const array<int> place({0}), out(std::vector<int>(count, 0));
    int* const staged = static_cast<int*>(allocate_host(count * sizeof(int)));
    std::iota(staged, staged + count, 1);
    const stream copies = make_stream(), works = make_stream();
    const event copied = make_event(), read = make_event();
    for (int i = 0; i < count; ++i) {
        if (copies_wait) wait_in(copies, read);
        copy_bytes(place, staged + i, sizeof(int), copies);
        record(copied, copies);
        if (work_waits) wait_in(works, copied);
        begin_recording(works);
        copy_bytes(out + i, place, sizeof(int), works);
        const graph passes_on = end_recording(works);
        start(passes_on, works);
        destroy_graph(passes_on);
        record(read, works);
    }
    synchronize(works);
    synchronize(copies);
    for (const event e : {copied, read}) destroy_event(e);
    for (const stream s : {copies, works}) destroy_stream(s);
    release_host(staged);
    return out.values();
}

TEST(simt, streams_that_do_not_wait_for_each_other_show) {
    std::vector<int> want(8);
    std::iota(want.begin(), want.end(), 1);
    EXPECT_EQ(want, passed_on(true, true));
    EXPECT_NE(want, passed_on(false, true));
    EXPECT_NE(want, passed_on(true, false));
}

// One warp: c (16, 8) = a (16, 16) b (16, 8), both brought into shared memory by copies that do not
// wait. b lies as its transpose (8, 16), or as it is and is read turned.
__global__ void product_kernel(float* c, const bf16* a, const bf16* b, bool turned, bool waits) {
    block_memory memory;
    bf16* left = memory.take<bf16>(256);
    bf16* right = memory.take<bf16>(256);
    const int lane = int(threadIdx.x), g = lane / 4, t = lane % 4;
    copy_later(left + 8 * lane, a + 8 * lane);
    copy_later(right + 8 * lane, b + 8 * (lane % 16), lane < 16 ? 16 : 0);
    close_copy_group();
    if (waits) wait_for_copies<0>();
    wait_block();
    uint32_t fa[4], fb[4];
    load_matrices(fa, left + (lane % 16) * 16 + lane / 16 * 8);
    if (turned)  // rows of 8: matrices k 0-7, k 8-15 (the others are read, and not used)
        load_matrices_turned(fb, right + lane * 8);
    else  // rows of 16: matrices k 0-7, k 8-15 of the same eight rows
        load_matrices(fb, right + lane % 8 * 16 + lane / 8 % 2 * 8);
    float sum[4] = {};
    multiply_add(sum, fa, {fb[0], fb[1]});
    for (int i = 0; i < 4; ++i) c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sum[i];
}

TEST(simt, tensor_cores_multiply) {
    std::vector<bf16> a, b, b_turned(128);
    for (int i = 0; i < 256; ++i) a.emplace_back(float((i * 37) % 23) - 11);
    for (int i = 0; i < 128; ++i) b.emplace_back(float((i * 29) % 19) - 9);  // (16, 8)
    for (int k = 0; k < 16; ++k)
        for (int n = 0; n < 8; ++n) b_turned[size_t(n * 16 + k)] = b[size_t(k * 8 + n)];
    const array<bf16> left(a), right(b), right_turned(b_turned);
    const array<float> c(std::vector<float>(128, 0.0f));
    const auto run = [&](bool turned, bool waits) {
        launch(nullptr, {1, 32, 1024}, product_kernel, c.operator float*(),
               static_cast<const bf16*>(left),
               static_cast<const bf16*>(turned ? right : right_turned), turned, waits);
        return c.values();
    };
    for (const bool turned : {false, true}) {
        const std::vector<float> got = run(turned, true);
        for (int m = 0; m < 16; ++m)
            for (int n = 0; n < 8; ++n) {
                float want = 0;
                for (int k = 0; k < 16; ++k)
                    want += float(a[size_t(m * 16 + k)]) * float(b[size_t(k * 8 + n)]);
                EXPECT_EQ(want, got[size_t(m * 8 + n)]) << turned << " " << m << " " << n;
            }
        for (const float value : run(turned, false))  // nobody waited for the copies
            EXPECT_TRUE(std::isnan(value));
    }
}

}  // namespace

}  // namespace mim::cuda
