#include "simt/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace mim::simt {

namespace {

constexpr int64_t alignment = 64;
constexpr unsigned char margin_byte = 0xa5, poison_byte = 0xff;  // 0xffff.. is a NaN in every dtype

int64_t page() {
    static const int64_t size = sysconf(_SC_PAGESIZE);
    return size;
}

int64_t round_up(int64_t n, int64_t to) {
    return (n + to - 1) / to * to;
}

// Where an array of so many bytes lies within its pages: as near to their end as alignment lets it.
int64_t begin_of(int64_t bytes) {
    return round_up(bytes, page()) - round_up(bytes, alignment);
}

void fill_margins(char* pages, int64_t bytes) {
    const int64_t begin = begin_of(bytes), end = begin + bytes, all = round_up(bytes, page());
    std::memset(pages, margin_byte, size_t(begin));
    std::memset(pages + end, margin_byte, size_t(all - end));
    ASAN_POISON_MEMORY_REGION(pages, size_t(begin));
    ASAN_POISON_MEMORY_REGION(pages + end, size_t(all - end));
}

bool margins_are_intact(const char* pages, int64_t bytes) {
    const int64_t begin = begin_of(bytes), end = begin + bytes, all = round_up(bytes, page());
    ASAN_UNPOISON_MEMORY_REGION(pages, size_t(all));
    const auto untouched = [](char c) { return static_cast<unsigned char>(c) == margin_byte; };
    const bool intact = std::all_of(pages, pages + begin, untouched) &&
                        std::all_of(pages + end, pages + all, untouched);
    ASAN_POISON_MEMORY_REGION(pages, size_t(begin));
    ASAN_POISON_MEMORY_REGION(pages + end, size_t(all - end));
    return intact;
}

// Addresses are handed out once: what was released stays closed for ever.
class arena {
public:
    static arena& all() {
        static arena a;
        return a;
    }

    void* allocate(int64_t bytes) {
        const std::lock_guard lock(mutex_);
        const int64_t size = round_up(std::max<int64_t>(bytes, 1), page());
        if (bytes < 0 || size > room - used_ - page()) throw std::bad_alloc();
        char* pages = base_ + used_;
        if (mprotect(pages, size_t(size), PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
        used_ += size + page();
        close_for_good(base_ + used_ - page(), page());
        fill_margins(pages, bytes);
        blocks_[pages + begin_of(bytes)] = {pages, bytes};
        if (open_ == 0) mprotect(pages, size_t(size), PROT_NONE);
        return pages + begin_of(bytes);
    }

    void release(void* memory) noexcept {
        const std::lock_guard lock(mutex_);
        const auto found = blocks_.find(static_cast<char*>(memory));
        if (found == blocks_.end()) std::abort();
        const auto [pages, bytes] = found->second;
        close_for_good(pages, round_up(std::max<int64_t>(bytes, 1), page()));
        blocks_.erase(found);
    }

    void open(int change) {
        const std::lock_guard lock(mutex_);
        const int before = open_;
        open_ += change;
        if ((before == 0) == (open_ == 0)) return;
        // All in one call: each call makes every processor forget the addresses that it knew.
        mprotect(base_, size_t(used_), now());
    }

    std::string first_damage() {
        const std::lock_guard lock(mutex_);
        for (const auto& [memory, block] : blocks_)
            if (!margins_are_intact(block.pages, block.bytes)) {
                fill_margins(block.pages, block.bytes);
                return "bytes beside device memory of " + std::to_string(block.bytes) +
                       " bytes were written";
            }
        return "";
    }

    bool contains(const void* address) const { return address >= base_ && address < base_ + room; }

    // Without the lock: it is called where a kernel faulted.
    std::string locate(const char* address) const {
        auto after = blocks_.upper_bound(const_cast<char*>(address));
        if (after == blocks_.begin()) return "in device memory that was never given out";
        const auto& [memory, block] = *std::prev(after);
        const int64_t offset = address - memory;
        if (offset < block.bytes) return "in device memory, which host code may not touch";
        if (offset < round_up(block.bytes, page()) + page())
            return std::to_string(offset - block.bytes) + " bytes behind device memory of " +
                   std::to_string(block.bytes) + " bytes";
        return "in device memory that is not, or no longer, given out";
    }

private:
    static constexpr int64_t room = int64_t(1) << 40;  // addresses, not memory

    struct block {
        char* pages;
        int64_t bytes;
    };
    int now() const { return open_ > 0 ? PROT_READ | PROT_WRITE : PROT_NONE; }
    // An empty file has no page to read or write, whatever its mapping allows.
    void close_for_good(char* pages, int64_t size) noexcept {
        if (mmap(pages, size_t(size), now(), MAP_SHARED | MAP_FIXED, nothing_, 0) == MAP_FAILED)
            std::abort();
    }
    arena() {
        nothing_ = memfd_create("nothing", MFD_CLOEXEC);
        if (nothing_ < 0) throw std::bad_alloc();
        void* base = mmap(nullptr, size_t(room), PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base == MAP_FAILED) throw std::bad_alloc();
        base_ = static_cast<char*>(base);
        close_for_good(base_, page());
        used_ = page();
    }
    std::mutex mutex_;
    char* base_;
    int64_t used_;
    int open_ = 0;
    int nothing_ = -1;
    std::map<char*, block> blocks_;
};

}  // namespace

void* allocate(int64_t bytes) {
    return arena::all().allocate(bytes);
}
void release(void* memory) noexcept {
    arena::all().release(memory);
}
bool is_device(const void* address) {
    return arena::all().contains(address);
}
std::string locate(const void* address) {
    return arena::all().locate(static_cast<const char*>(address));
}

access::access() {
    arena::all().open(+1);
}
void access::check() {
    if (const std::string damage = arena::all().first_damage(); !damage.empty())
        throw std::logic_error(damage);
}
access::~access() {
    arena::all().open(-1);
}

shared_array::shared_array(int64_t bytes) : bytes_(bytes) {
    const int64_t size = round_up(std::max<int64_t>(bytes, 1), page());
    void* pages =
        mmap(nullptr, size_t(size + 2 * page()), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    pages_ = static_cast<char*>(pages) + page();
    mprotect(pages_, size_t(size), PROT_READ | PROT_WRITE);
    fill_margins(pages_, bytes);
    data_ = pages_ + begin_of(bytes);
}

shared_array::~shared_array() {
    if (pages_ == nullptr) return;
    const int64_t size = round_up(std::max<int64_t>(bytes_, 1), page());
    ASAN_UNPOISON_MEMORY_REGION(pages_, size_t(size));
    munmap(pages_ - page(), size_t(size + 2 * page()));
}

shared_array::shared_array(shared_array&& other) noexcept
    : pages_(std::exchange(other.pages_, nullptr)), data_(other.data_), bytes_(other.bytes_) {}

void shared_array::poison() {
    std::memset(data_, poison_byte, size_t(bytes_));
}
bool shared_array::is_intact() const {
    return margins_are_intact(pages_, bytes_);
}

}  // namespace mim::simt
