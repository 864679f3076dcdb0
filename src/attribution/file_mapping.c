/* SPDX-License-Identifier: MIT */
#include "attribution/file_mapping.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

void file_mapping_done(struct file_mapping *m)
{
    if (m->data)
        munmap(m->data, m->len);
}

struct file_mapping file_map(int dir, const char *name)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct file_mapping m = { 0 };
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
        return m;
    m.data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (m.data == MAP_FAILED)
        m.data = NULL;
    else
        m.len = (size_t)st.st_size;
    return m;
}

/* Of a file that is not there too: nothing is added to a null pointer. */
const char *file_mapping_end(const struct file_mapping *m)
{
    return m->data ? m->data + m->len : NULL;
}

bool file_mapping_has_line(const struct file_mapping *m, struct bytes line)
{
    const char *at = m->data, *end = file_mapping_end(m);

    while (at && at < end) {
        at = memmem(at, (size_t)(end - at), line.data, line.len);
        if (!at)
            return false;
        if ((at == m->data || at[-1] == '\n') && (at + line.len == end || at[line.len] == '\n'))
            return true;
        at++;
    }
    return false;
}
