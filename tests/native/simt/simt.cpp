#include "simt/simt.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <boost/context/detail/fcontext.hpp>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <random>
#include <stdexcept>
#include <vector>

#include "cuda/launch_shape.h"
#include "simt/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define MIM_SIMT_ASAN 1
#else
#define MIM_SIMT_ASAN 0
#endif

namespace mim::simt {

position here;

namespace {

namespace fc = boost::context::detail;

constexpr int warp_lanes = 32;
constexpr unsigned most_threads = 1024;
constexpr int64_t stack_bytes = MIM_SIMT_ASAN ? 512 << 10 : 128 << 10;

enum class state { ready, at_block, at_warp, done };

struct pending_copy {
    void* to;
    const void* from;
    int64_t bytes, filled;
};

struct fibre {
    char* stack = nullptr;
    fc::fcontext_t context = nullptr;
    void* fake_stack = nullptr;  // the address sanitizer's
    state now = state::done;
    uint3 thread = {};
    int lane = 0, warp = 0;
    size_t shared_taken = 0;                       // how many shared arrays it asked for
    std::deque<std::vector<pending_copy>> copies;  // groups, the open one last
};

// What the lanes of a warp exchange; two turns, so that a lane that is ahead overwrites nothing.
struct warp {
    int alive = 0, waiting = 0;
    alignas(64) unsigned char slots[2][warp_lanes * lane_stride] = {};
    int turn[warp_lanes] = {};
};

struct machine {
    std::vector<fibre> fibres;
    std::vector<char*> stacks;  // kept for the next blocks, which may be smaller or larger
    std::vector<warp> warps;
    std::vector<shared_array> shared;
    int64_t shared_allowed = 0, shared_used = 0;
    fibre* running = nullptr;
    pthread_t thread = {};  // of the process, that runs the kernel
    fc::fcontext_t scheduler = nullptr;
    void* scheduler_fake = nullptr;
    const void* scheduler_bottom = nullptr;
    size_t scheduler_size = 0;
    const std::function<void()>* body = nullptr;
    int alive = 0;
    std::string failure;
    std::minstd_rand random{20260101};
};

machine m;
std::mutex one_kernel;

// Back to the scheduler; a fibre that is done never returns.
void leave(bool for_good = false) {
#if MIM_SIMT_ASAN
    fibre& f = *m.running;
    __sanitizer_start_switch_fiber(for_good ? nullptr : &f.fake_stack, m.scheduler_bottom,
                                   m.scheduler_size);
#else
    (void)for_good;
#endif
    const fc::transfer_t back = fc::jump_fcontext(m.scheduler, nullptr);
    m.scheduler = back.fctx;
#if MIM_SIMT_ASAN
    __sanitizer_finish_switch_fiber(f.fake_stack, &m.scheduler_bottom, &m.scheduler_size);
#endif
}

void finish_copies(fibre& f, size_t groups_left) {
    while (f.copies.size() > groups_left + 1) {  // the open group is not counted
        for (const pending_copy& c : f.copies.front()) {
            std::memcpy(c.to, c.from, size_t(c.filled));
            std::memset(static_cast<char*>(c.to) + c.filled, 0, size_t(c.bytes - c.filled));
        }
        f.copies.pop_front();
    }
}

// The threads that wait at a barrier go on when nobody is left to wait for. One that is done is not
// waited for.
void release_barriers() {
    for (size_t w = 0; w < m.warps.size(); ++w) {
        warp& group = m.warps[w];
        if (group.waiting == 0 || group.waiting < group.alive) continue;
        group.waiting = 0;
        for (fibre& f : m.fibres)
            if (f.warp == int(w) && f.now == state::at_warp) f.now = state::ready;
    }
    int waiting = 0;
    for (const fibre& f : m.fibres) waiting += f.now == state::at_block;
    if (waiting == 0 || waiting < m.alive) return;
    for (fibre& f : m.fibres)
        if (f.now == state::at_block) f.now = state::ready;
}

void start(fc::transfer_t from) {
    m.scheduler = from.fctx;
#if MIM_SIMT_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &m.scheduler_bottom, &m.scheduler_size);
#endif
    try {
        (*m.body)();
    } catch (const std::exception& e) {
        m.failure = e.what();
    }
    fibre& f = *m.running;
    if (m.failure.empty() && !f.copies.back().empty())
        m.failure = "a thread ended with copies that it never waited for";
    f.now = state::done;
    --m.alive;
    --m.warps[size_t(f.warp)].alive;
    leave(/*for_good=*/true);
}

void enter(fibre& f) {
    m.running = &f;
    here.thread = f.thread;
#if MIM_SIMT_ASAN
    __sanitizer_start_switch_fiber(&m.scheduler_fake, f.stack, size_t(stack_bytes));
#endif
    f.context = fc::jump_fcontext(f.context, nullptr).fctx;
#if MIM_SIMT_ASAN
    __sanitizer_finish_switch_fiber(m.scheduler_fake, nullptr, nullptr);
#endif
    m.running = nullptr;
}

char* new_stack() {
    const long page = sysconf(_SC_PAGESIZE);
    void* memory = mmap(nullptr, size_t(stack_bytes + page), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    mprotect(memory, size_t(page), PROT_NONE);
    return static_cast<char*>(memory) + page;
}

void begin_block(dim3 size) {
    const unsigned count = size.x * size.y * size.z;
    m.fibres.resize(count);
    m.warps.assign((count + warp_lanes - 1) / warp_lanes, {});
    m.alive = int(count);
    for (unsigned i = 0; i < count; ++i) {
        fibre& f = m.fibres[i];
        if (i == m.stacks.size()) m.stacks.push_back(new_stack());
        f.stack = m.stacks[i];
        f.context = fc::make_fcontext(f.stack + stack_bytes, size_t(stack_bytes), start);
        f.now = state::ready;
        f.thread = {i % size.x, i / size.x % size.y, i / size.x / size.y};
        f.lane = int(i) % warp_lanes;
        f.warp = int(i) / warp_lanes;
        f.shared_taken = 0;
        f.copies.assign(1, {});
        ++m.warps[size_t(f.warp)].alive;
    }
    m.shared_used = 0;
    for (shared_array& a : m.shared) a.poison();
}

void run_block(dim3 size) {
    begin_block(size);
    std::vector<fibre*> turn;
    while (m.alive > 0) {
        turn.clear();
        for (fibre& f : m.fibres)
            if (f.now == state::ready) turn.push_back(&f);
        if (turn.empty()) {
            int at_block = 0, at_warp = 0;
            for (const fibre& f : m.fibres) {
                at_block += f.now == state::at_block;
                at_warp += f.now == state::at_warp;
            }
            throw std::logic_error("its threads wait for ever: " + std::to_string(at_block) +
                                   " at the block's barrier, " + std::to_string(at_warp) +
                                   " at one of a warp");
        }
        std::shuffle(turn.begin(), turn.end(), m.random);
        for (fibre* f : turn) {
            enter(*f);
            if (!m.failure.empty()) throw std::logic_error(m.failure);
        }
        release_barriers();
    }
    for (const shared_array& a : m.shared)
        if (!a.is_intact())
            throw std::logic_error("bytes beside shared memory of " + std::to_string(a.bytes()) +
                                   " bytes were written");
}

// A fault in device or shared memory becomes the launch's failure; any other is somebody else's.
struct sigaction previous_action;

void on_fault(int signal, siginfo_t* info, void* context) {
    // Another thread's fault, which its runtime may make an exception of, is none of the kernel's.
    if (m.running != nullptr && pthread_equal(m.thread, pthread_self())) {
        m.failure = is_device(info->si_addr)
                        ? locate(info->si_addr)
                        : "outside of any memory, or beside shared memory or a thread's stack";
        m.failure = "thread (" + std::to_string(here.thread.x) + ", " +
                    std::to_string(here.thread.y) + ", " + std::to_string(here.thread.z) +
                    ") of block (" + std::to_string(here.block.x) + ", " +
                    std::to_string(here.block.y) + ", " + std::to_string(here.block.z) +
                    ") read or wrote " + m.failure;
        leave();
    }
    if (is_device(info->si_addr)) {
        const std::string text = "host code read or wrote " + locate(info->si_addr) + "\n";
        [[maybe_unused]] const auto written = write(2, text.data(), text.size());
    }
    if (previous_action.sa_flags & SA_SIGINFO)
        previous_action.sa_sigaction(signal, info, context);
    else
        ::signal(signal, SIG_DFL);
}

// On the fibre's own stack and without a mask, so that it can leave for the scheduler.
class fault_handler {
public:
    fault_handler() {
        struct sigaction action = {};
        action.sa_sigaction = on_fault;
        action.sa_flags = SA_SIGINFO | SA_NODEFER;
        sigaction(SIGSEGV, &action, &previous_action);
    }
    ~fault_handler() { sigaction(SIGSEGV, &previous_action, nullptr); }
};

}  // namespace

void run(dim3 grid, dim3 block, int64_t shared_bytes, const std::source_location& where,
         const std::function<void()>& body) {
    const std::lock_guard lock(one_kernel);
    const uint64_t threads = uint64_t(block.x) * block.y * block.z;
    try {
        if (threads == 0 || threads > most_threads || block.z > 64)
            throw std::logic_error("a block of " + std::to_string(threads) + " threads");
        if (threads % warp_lanes != 0)
            throw std::logic_error("a block of " + std::to_string(threads) +
                                   " threads, no multiple of 32");
        if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffffu || grid.y > 65535 ||
            grid.z > 65535)
            throw std::logic_error("a grid of (" + std::to_string(grid.x) + ", " +
                                   std::to_string(grid.y) + ", " + std::to_string(grid.z) + ")");
        if (shared_bytes < 0 || shared_bytes > 227 << 10)
            throw std::logic_error(std::to_string(shared_bytes) + " bytes of shared memory");
        access device;
        const fault_handler faults;
        m.thread = pthread_self();
        m.body = &body;
        m.failure.clear();
        m.shared_allowed = shared_bytes;
        m.shared.clear();
        here.block_size = block;
        here.grid_size = grid;
        for (unsigned z = 0; z < grid.z; ++z)
            for (unsigned y = 0; y < grid.y; ++y)
                for (unsigned x = 0; x < grid.x; ++x) {
                    here.block = {x, y, z};
                    run_block(block);
                }
        device.check();
    } catch (const std::logic_error& e) {
        m.running = nullptr;
        refuse(where, e.what());
    }
}

void refuse(const std::source_location& where, const std::string& sentence) {
    throw std::logic_error(cuda::place_of(where) + ": " + sentence);
}

void fail(const std::string& sentence) {
    m.failure = sentence;
    leave();
    std::abort();  // the scheduler does not come back
}

unsigned lane_number() {
    return unsigned(m.running->lane);
}

void wait_for_block() {
    m.running->now = state::at_block;
    leave();
}

void wait_for_warp() {
    fibre& f = *m.running;
    warp& group = m.warps[size_t(f.warp)];
    if (++group.waiting == group.alive) {  // the last one goes on at once
        group.waiting = 0;
        for (int i = 0; i < warp_lanes; ++i) {
            const size_t other = size_t(f.warp * warp_lanes + i);
            if (other < m.fibres.size() && m.fibres[other].now == state::at_warp)
                m.fibres[other].now = state::ready;
        }
        return;
    }
    f.now = state::at_warp;
    leave();
}

const void* exchange(const void* mine, int64_t bytes) {
    fibre& f = *m.running;
    warp& group = m.warps[size_t(f.warp)];
    const int turn = group.turn[f.lane] ^= 1;
    std::memcpy(group.slots[turn] + f.lane * lane_stride, mine, size_t(bytes));
    wait_for_warp();
    return group.slots[turn];
}

void* take_shared(int64_t bytes) {
    fibre& f = *m.running;
    const size_t number = f.shared_taken++;
    if (number == m.shared.size()) {
        m.shared.emplace_back(bytes);
        m.shared.back().poison();
    }
    shared_array& array = m.shared[number];
    if (array.bytes() != bytes)
        fail("threads take shared memory of " + std::to_string(array.bytes()) + " and of " +
             std::to_string(bytes) + " bytes");
    int64_t used = 0;
    for (size_t i = 0; i <= number; ++i) used += (m.shared[i].bytes() + 15) / 16 * 16;
    if (used > m.shared_allowed)
        fail("it takes " + std::to_string(used) + " bytes of shared memory and was given " +
             std::to_string(m.shared_allowed));
    return array.data();
}

void copy_later(void* shared, const void* global, int64_t bytes, int64_t filled) {
    // whoever reads before the copy has ended finds NaNs
    std::memset(shared, 0xff, size_t(bytes));
    if (filled > 0) {  // a bad address faults here, in the thread that gave it
        [[maybe_unused]] volatile char touched = *static_cast<const volatile char*>(global);
        touched = static_cast<const volatile char*>(global)[filled - 1];
    }
    m.running->copies.back().push_back({shared, global, bytes, filled});
}

void close_copy_group() {
    m.running->copies.emplace_back();
}

void wait_for_copies(int groups_left) {
    finish_copies(*m.running, size_t(groups_left));
}

}  // namespace mim::simt
