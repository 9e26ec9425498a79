// Device memory of the emulator. Each allocation has pages of its own, ends at a page that nobody
// may touch, and is never used again after its release: an access outside of any allocation, or too
// late, is found. Between launches and copies nobody may touch any of it: host code that reads
// device memory is found as well.
#pragma once

#include <cstdint>
#include <string>

namespace mim::simt {

// Zeroed, aligned to 64; throws std::bad_alloc.
void* allocate(int64_t bytes);
void release(void* memory) noexcept;

bool is_device(const void* address);
// For messages: "12 bytes behind device memory of 400 bytes".
std::string locate(const void* address);

// While one lives, device memory can be read and written.
class access {
public:
    access();
    // Throws std::logic_error where bytes beside an allocation were written.
    void check();
    ~access();
    access(const access&) = delete;
    access& operator=(const access&) = delete;
};

// A block's shared memory: the same guards, but always open. Filled with NaNs by `poison`.
class shared_array {
public:
    explicit shared_array(int64_t bytes);
    ~shared_array();
    shared_array(shared_array&& other) noexcept;
    shared_array& operator=(shared_array&& other) noexcept = delete;

    void* data() const { return data_; }
    int64_t bytes() const { return bytes_; }
    void poison();
    bool is_intact() const;  // nothing beside it was written

private:
    char* pages_ = nullptr;
    void* data_ = nullptr;
    int64_t bytes_ = 0;
};

}  // namespace mim::simt
