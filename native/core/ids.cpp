#include "core/ids.h"

#include <algorithm>

namespace mim {

namespace {

std::string place(const view& ids, int64_t flat) {
    std::string text = "(";
    if (ids.rank == 1) return text.append(std::to_string(flat)).append(")");
    return text.append(std::to_string(flat / ids.shape[1]))
        .append(", ")
        .append(std::to_string(flat % ids.shape[1]))
        .append(")");
}

bool readable(const context& ctx) {
    return ctx.device_kind() == MIM_CPU && !ctx.planning();
}

// Within each run of `length` elements no id may occur twice.
void require_once(context& ctx, const view& ids, const char* name, int64_t limit, int64_t length,
                  const std::string& expected) {
    if (ctx.device_kind() != MIM_CPU) return;
    int64_t* seen = ctx.scratch<int64_t>(limit);  // where each id was met last, as a flat index
    require_ids(ctx, ids, name, limit);
    if (!readable(ctx)) return;
    std::fill_n(seen, limit, int64_t(-1));
    const int32_t* id = data<int32_t>(ids);
    for (int64_t first = 0; first < elements(ids); first += length)
        for (int64_t i = first; i < first + length; ++i) {
            if (seen[id[i]] >= first)
                fail_argument(std::string(name) + " holds " + std::to_string(id[i]) + " at " +
                              place(ids, seen[id[i]]) + " and again at " + place(ids, i) +
                              ", expected " + expected);
            seen[id[i]] = i;
        }
}

}  // namespace

void require_ids(context& ctx, const view& ids, const char* name, int64_t limit) {
    if (!readable(ctx)) return;
    const int32_t* id = data<int32_t>(ids);
    for (int64_t i = 0, count = elements(ids); i < count; ++i)
        if (id[i] < 0 || id[i] >= limit)
            fail_argument(std::string(name) + " holds " + std::to_string(id[i]) + " at " +
                          place(ids, i) + ", expected 0 to " + std::to_string(limit - 1));
}

void require_distinct_ids(context& ctx, const view& ids, const char* name, int64_t limit) {
    require_once(ctx, ids, name, limit, ids.shape[1], "distinct ids in each image");
}

void require_permutation(context& ctx, const view& ids, const char* name) {
    const int64_t count = elements(ids);
    require_once(ctx, ids, name, count, count,
                 "each of 0 to " + std::to_string(count - 1) + " once");
}

}  // namespace mim
