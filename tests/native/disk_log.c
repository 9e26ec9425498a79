/* A library to be preloaded (LD_PRELOAD): notes what a process flushes and renames, in their order, in the
 * file that MIM_DISK_LOG names. What a power cut would leave cannot be tested; what it depends on can. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note(const char* what, const char* first, const char* second) {
    const char* log = getenv("MIM_DISK_LOG");
    if (log == NULL) return;
    char line[9000];
    const int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", what, first, second);
    const int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || length >= (int)sizeof line || write(file, line, (size_t)length) != length)
        abort();
    close(file);
}

int fsync(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length >= 0) {
        path[length] = 0;
        note("flush", path, "");
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return real(descriptor);
}

int rename(const char* from, const char* to) {
    note("rename", from, to);
    int (*real)(const char*, const char*) =
        (int (*)(const char*, const char*))dlsym(RTLD_NEXT, "rename");
    return real(from, to);
}
