#include "core/ids.h"

#include <algorithm>

namespace mim {

namespace {

std::string place(const view& ids, int64_t flat) {
    std::string text = "(";
    return text.append(std::to_string(flat / ids.shape[1]))
        .append(", ")
        .append(std::to_string(flat % ids.shape[1]))
        .append(")");
}

bool readable(const context& ctx) {
    return ctx.device_kind() == MIM_CPU && !ctx.planning();
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
    if (ctx.device_kind() != MIM_CPU) return;
    int64_t* seen = ctx.scratch<int64_t>(limit);  // where each id was met last, as a flat index
    require_ids(ctx, ids, name, limit);
    if (!readable(ctx)) return;
    std::fill_n(seen, limit, int64_t(-1));
    const int32_t* id = data<int32_t>(ids);
    const int64_t columns = ids.shape[1];
    for (int64_t row = 0; row < elements(ids); row += columns)
        for (int64_t i = row; i < row + columns; ++i) {
            if (seen[id[i]] >= row)
                fail_argument(std::string(name) + " holds " + std::to_string(id[i]) + " at " +
                              place(ids, seen[id[i]]) + " and again at " + place(ids, i) +
                              ", expected distinct ids in each image");
            seen[id[i]] = i;
        }
}

}  // namespace mim
