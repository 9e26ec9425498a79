// The handshake: version and struct layouts (base.h). The table of fields is generated from the
// headers.
#include <cstddef>
#include <cstring>
#include <vector>

#include "mim/mim.h"

namespace {

struct struct_layout {
    const char* name;
    std::vector<int64_t> values;  // size, then offsets
};

const std::vector<struct_layout>& layouts() {
    static const std::vector<struct_layout> table = {
#define MIM_STRUCT(type, ...) {#type, {int64_t(sizeof(type)), __VA_ARGS__}},
#define MIM_FIELD(type, field) int64_t(offsetof(type, field))
#include "core/abi_layout.inc"
#undef MIM_FIELD
#undef MIM_STRUCT
    };
    return table;
}

}  // namespace

int32_t mim_abi_version(void) {
    return MIM_ABI_VERSION;
}

uint64_t mim_abi_layout_hash(void) {
    uint64_t hash = 0xcbf29ce484222325ull;
    for (const struct_layout& layout : layouts())
        for (const int64_t value : layout.values)
            for (int byte = 0; byte < 8; ++byte)
                hash = (hash ^ (uint64_t(value) >> (8 * byte) & 0xff)) * 0x100000001b3ull;
    return hash;
}

int32_t mim_abi_struct_layout(const char* name, int64_t* values, int32_t capacity) {
    if (name == nullptr) return 0;
    for (const struct_layout& layout : layouts())
        if (std::strcmp(layout.name, name) == 0) {
            const int32_t count = int32_t(layout.values.size());
            for (int32_t i = 0; values != nullptr && i < count && i < capacity; ++i)
                values[i] = layout.values[i];
            return count;
        }
    return 0;
}

const char* mim_version(void) {
    return MIM_VERSION;
}
