/* SPDX-License-Identifier: MIT */
#include "sensor/audit/written.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

/* "." and ".." and double slashes go; what links there are is not known here. */
bool audit_written_path(struct bytes dir, struct bytes name, char *ret, size_t size)
{
    struct bytes parts[2] = { dir, name };
    size_t n = 0;

    if (name.len && name.data[0] == '/')
        parts[0] = BYTES_NULL;
    else if (!dir.len || dir.data[0] != '/')
        return false;
    for (int i = 0; i < 2; i++) {
        struct bytes rest = parts[i];

        while (rest.len) {
            const char *slash = memchr(rest.data, '/', rest.len);
            size_t k = slash ? (size_t)(slash - rest.data) : rest.len;

            if (k == 2 && memcmp(rest.data, "..", 2) == 0) {
                while (n > 0 && ret[--n] != '/')
                    ;
            } else if (k > 0 && !(k == 1 && rest.data[0] == '.')) {
                if (n + k + 2 > size)
                    return false;
                ret[n++] = '/';
                memcpy(ret + n, rest.data, k);
                n += k;
            }
            k += slash != NULL;
            rest = (struct bytes){ rest.data + k, rest.len - k };
        }
    }
    if (n == 0)
        ret[n++] = '/';
    ret[n] = '\0';
    return true;
}

bool audit_written_from_cwd(const struct audit_facts *f, struct bytes name, char ret[PATH_MAX])
{
    return name.len && audit_written_path(f->cwd, name, ret, PATH_MAX);
}

/* Does a relative name begin at the working directory? */
static bool relative_to_cwd(const struct audit_facts *f, enum audit_nametype type)
{
    unsigned descriptor = type == AUDIT_NAME_CREATE ? 2 : 0; /* renameat(from, name, to, name) */

    return f->call == AUDIT_CALL_rename ||
           ((f->args_known & 1u << descriptor) && (int32_t)f->args[descriptor] == AT_FDCWD);
}

void audit_written_outside(const struct audit_facts *f, enum audit_nametype type, struct event *e, struct bytes *field)
{
    char path[PATH_MAX];

    for (unsigned i = 0; i < f->path_count; i++) {
        const struct audit_path *p = &f->paths[i];

        if (p->type != type || p->nested || !p->name.len)
            continue;
        if (p->name.data[0] != '/' && !relative_to_cwd(f, type))
            continue;
        if (audit_written_path(f->cwd, p->name, path, sizeof(path)))
            event_set(e, field, bytes_of(path));
        return;
    }
}
