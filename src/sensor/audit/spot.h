/* SPDX-License-Identifier: MIT */
/* Where in a watched object a change was made: found by the record's identities first, then by the paths that were written down. Reads the
 * object's index and changes nothing. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "sensor/audit/meaning.h"
#include "sensor/audit/object.h"
#include "util/bytes.h"
#include "util/sbuf.h"

/* Where a name is, as far as this object is concerned. */
struct audit_spot {
    bool here;          /* at or below the object's path */
    bool root;          /* the object's path itself */
    uint32_t directory; /* of `name`, in the index */
    struct bytes name;
    uint32_t entry;     /* the index's name, 0 = it does not know it */
    bool one_of_several; /* the file has other names, and none of them is in the records */
    char text[PATH_MAX]; /* where there is no index: the path, as the caller wrote it */
    char room[LIMIT_NAME + 1]; /* `name` may lie here */
};

/* Both ends of a change: `now` where it is (or was), `old` where a rename took it from. Names are the facts' memory or
 * the spot's own: it is not copied. */
void audit_spots_find(const struct audit_object *o, const struct audit_facts *f, const struct audit_change *c, struct audit_spot *now,
                      struct audit_spot *old);
/* Its path in the terms of the object's namespace, in place of what `out` has. 0, -ENOMEM, or what the index says of the directory. */
int audit_spot_path(const struct audit_object *o, const struct audit_spot *s, struct sbuf *out);

/* Does the record say which file that is? NULL: no. */
bool audit_path_is_identified(const struct audit_path *p);
/* Is it the file that looked so? */
bool audit_path_is_state(const struct audit_object *o, const struct file_state *s, const struct audit_path *p);
/* The index's number of it; 0: not there, or another file has its inode number by now. */
uint32_t audit_path_object(const struct audit_object *o, const struct audit_path *p);
