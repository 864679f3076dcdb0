/* SPDX-License-Identifier: MIT */
#include "search/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <libaudit.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sensor/audit/facts_read.h"
#include "util/hash_table.h"
#include "util/limits.h"
#include "util/macro.h"
#include "util/path.h"

/* ---- places ---- */

struct directory_key {
    uint64_t device, inode;
};

#define LINKS_MAX 256 /* of directories below each other; PATH_MAX allows 2048 */

struct place_entry {
    UT_hash_handle hh;
    struct directory_key key;
    bool linked;             /* path is a name in `parent`, whose own path may become known later */
    struct directory_key parent;
    size_t len;
    char path[];
};

struct search_places {
    struct place_entry *table;
};

struct search_places *search_places_new(void)
{
    return calloc(1, sizeof(struct search_places));
}

static void drop(struct search_places *places, struct place_entry *e)
{
    HASH_DEL(places->table, e);
    free(e);
}

void search_places_free(struct search_places *places)
{
    struct place_entry *e, *next;

    if (!places)
        return;
    HASH_ITER(hh, places->table, e, next)
        drop(places, e);
    free(places);
}

static struct place_entry *find_entry(const struct search_places *places, const struct directory_key *key)
{
    struct place_entry *e;

    HASH_FIND(hh, places->table, key, sizeof(*key), e);
    return e;
}

/* parent: NULL if `path` is a whole path */
static struct place_entry *put(struct search_places *places, const struct directory_key *key, struct bytes path,
                               const struct directory_key *parent)
{
    struct place_entry *e = find_entry(places, key);

    if (e && !e->linked && !parent && bytes_equal((struct bytes){ e->path, e->len }, path))
        return e;
    if (e)
        drop(places, e);
    else if (HASH_COUNT(places->table) >= LIMIT_SEARCH_PLACES)
        drop(places, places->table); /* the oldest: uthash keeps the order of addition */
    e = calloc(1, sizeof(*e) + path.len);
    if (!e)
        return NULL; /* a place less is known: the path is then marked as not certain */
    e->key = *key;
    e->linked = parent != NULL;
    if (parent)
        e->parent = *parent;
    e->len = path.len;
    memcpy(e->path, path.data, path.len);
    HASH_ADD(hh, places->table, key, sizeof(e->key), e);
    HASH_FREE_IF_OUT(hh, e);
    return e;
}

/* Names in names of directories, up to one whose path is known; the path is kept then. */
static struct place_entry *follow(struct search_places *places, struct place_entry *e)
{
    char path[LIMIT_PATH / 4], *to = path + sizeof(path);
    struct directory_key key = e->key;

    for (unsigned depth = 0; e->linked; depth++) {
        if (depth == LINKS_MAX || (size_t)(to - path) < e->len + 1)
            return NULL;
        to -= e->len;
        memcpy(to, e->path, e->len);
        *--to = '/';
        e = find_entry(places, &e->parent);
        if (!e)
            return NULL;
    }
    if (e->len > 1) { /* of the root the slash is there already */
        if ((size_t)(to - path) < e->len)
            return NULL;
        to -= e->len;
        memcpy(to, e->path, e->len);
    }
    return put(places, &key, (struct bytes){ to, (size_t)(path + sizeof(path) - to) }, NULL);
}

static bool has_identity(const struct file_state *file)
{
    return (file->known & FILE_INODE) && (file->known & FILE_DEVICE);
}

static struct bytes find_place(struct search_places *places, const struct file_state *file)
{
    struct directory_key key = { file->device, file->inode };
    struct place_entry *e = has_identity(file) ? find_entry(places, &key) : NULL;

    if (e && e->linked)
        e = follow(places, e);
    return e ? (struct bytes){ e->path, e->len } : BYTES_NULL;
}

/* Teach one by hand, e.g. from the file system of this machine. */
static void search_places_learn(struct search_places *places, uint64_t device, uint64_t inode,
                         struct bytes path)
{
    (void)put(places, &(struct directory_key){ device, inode }, path, NULL);
}

/* A directory's name in another one, whatever that is called: `rm -rf` names them from the inside out. */
static void learn_name(struct search_places *places, const struct audit_path *p, const struct audit_path *parent)
{
    struct directory_key key = { p->file.device, p->file.inode };

    if (!parent || !has_identity(&parent->file) || !(p->file.known & FILE_MODE) || !S_ISDIR(p->file.mode) ||
        find_entry(places, &key))
        return;
    (void)put(places, &key, bytes_basename(p->name),
              &(struct directory_key){ parent->file.device, parent->file.inode });
}

void search_places_each(struct search_places *places, void (*each)(void *data, uint64_t inode, struct bytes path),
                        void *data)
{
    struct place_entry *e, *next;

    HASH_ITER(hh, places->table, e, next) {
        struct file_state file = { .known = FILE_INODE | FILE_DEVICE, .device = e->key.device, .inode = e->key.inode };
        struct bytes path = find_place(places, &file); /* may put an entry anew, at the end */

        if (path.data)
            each(data, file.inode, path);
    }
}

/* ---- joining ---- */

/* dir + "/" + name without empty components, "." and "..", into the paths' memory. */
static struct bytes join(struct search_paths *ret, struct bytes dir, struct bytes name)
{
    size_t room = ret->text_size - ret->text_len;
    struct bytes path;

    if (room < dir.len + name.len + 3)
        return name;
    path = path_join(dir, name, ret->text + ret->text_len, room);
    ret->text_len += path.len;
    return path;
}

/* Is this argument a directory descriptor, not AT_FDCWD? The kernel writes its low 32 bits. */
static bool is_descriptor(const struct audit_facts *f, unsigned arg)
{
    return !(f->args_known & 1u << arg) || (int32_t)f->args[arg] != AT_FDCWD;
}

/* May a relative name of this call be relative to something else than the working directory? */
static bool has_descriptor(const struct audit_facts *f)
{
    switch (f->call) {
    case AUDIT_CALL_openat:
    case AUDIT_CALL_openat2:
    case AUDIT_CALL_unlinkat:
    case AUDIT_CALL_mkdirat:
    case AUDIT_CALL_mknodat:
    case AUDIT_CALL_fchmodat:
    case AUDIT_CALL_fchmodat2:
    case AUDIT_CALL_fchownat:
    case AUDIT_CALL_futimesat:
    case AUDIT_CALL_utimensat:
    case AUDIT_CALL_utimensat_time64:
    case AUDIT_CALL_setxattrat:
    case AUDIT_CALL_removexattrat:
    case AUDIT_CALL_file_setattr:
    case AUDIT_CALL_execveat:
        return is_descriptor(f, 0);
    case AUDIT_CALL_symlinkat:
        return is_descriptor(f, 1);
    case AUDIT_CALL_renameat:
    case AUDIT_CALL_renameat2:
    case AUDIT_CALL_linkat:
    case AUDIT_CALL_move_mount:
        return is_descriptor(f, 0) || is_descriptor(f, 2);
    default:
        return f->route == ROUTE_IO_URING;
    }
}

/* The PARENT record that goes with a name: the last one before it, as the kernel writes them for
 * one name; with two of each (a rename) the first goes with the first. */
static const struct audit_path *parent_of(const struct audit_facts *f, const struct audit_path *p)
{
    const struct audit_path *parents[2] = { NULL, NULL };
    unsigned parent_count = 0, index = 0;

    for (unsigned i = 0; i < f->path_count; i++) {
        if (f->paths[i].nested)
            continue;
        if (f->paths[i].type == AUDIT_NAME_PARENT) {
            if (parent_count < 2)
                parents[parent_count++] = &f->paths[i];
        } else if (&f->paths[i] < p) {
            index++;
        }
    }
    if (parent_count < 2)
        return parents[0];
    /* the old and the new name of a rename; a replaced file has the new name too */
    return index == 0 ? parents[0] : parents[1];
}

/* Names by a descriptor that are all absolute do not use it. */
static bool names_are_absolute(const struct audit_facts *f)
{
    for (unsigned i = 0; i < f->path_count; i++) {
        const struct audit_path *p = &f->paths[i];

        if (!p->nested && p->type != AUDIT_NAME_PARENT && !(p->name.len > 0 && p->name.data[0] == '/'))
            return false;
    }
    return true;
}

static struct search_path resolve(struct search_paths *ret, struct search_places *places,
                                  const struct audit_path *p, bool by_descriptor)
{
    const struct audit_facts *f = &ret->facts;
    struct search_path out = { .path = p->name, .record = p };
    const struct audit_path *parent;
    struct bytes place;

    if (p->name.data && p->name.len > 0 && p->name.data[0] == '/' &&
        !(by_descriptor && p->type == AUDIT_NAME_PARENT)) {
        out.path = join(ret, (struct bytes){ "", 0 }, p->name);
        out.certain = true;
        return out;
    }
    place = find_place(places, &p->file);
    if (!p->name.data) { /* a descriptor's file: only its identity is recorded */
        out.path = place;
        out.certain = place.data != NULL;
        return out;
    }
    if (!by_descriptor && f->cwd.data) {
        out.path = join(ret, f->cwd, p->name);
        out.certain = true;
        return out;
    }
    if (p->type == AUDIT_NAME_PARENT) { /* its name may be the working directory's */
        out.path = place;
        out.certain = place.data != NULL;
        return out;
    }
    parent = parent_of(f, p);
    place = parent ? find_place(places, &parent->file) : place;
    if (place.data && parent) {
        out.path = join(ret, place, bytes_basename(p->name));
        out.certain = true;
    } else if (place.data) {
        out.path = place;
        out.certain = true;
    }
    return out;
}

/* io_uring's operations have the same numbers everywhere. */
static bool knows_call(const struct audit_facts *f)
{
    return f->route == ROUTE_IO_URING || audit_call_knows(f->arch);
}

int search_paths_read_group(const struct audit_group *group, struct search_places *places, bool first_wins,
                            struct search_paths *ret)
{
    size_t need = 256;
    bool by_descriptor;
    int r;

    ret->count = ret->change_count = 0;
    ret->text_len = 0;
    r = audit_facts_read(group, &ret->scratch, &ret->facts);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < ret->facts.path_count; i++)
        need += ret->facts.cwd.len + ret->facts.paths[i].name.len + LIMIT_PATH / 4 + 3;
    if (ret->text_size < need) {
        free(ret->text);
        ret->text_size = 0;
        ret->text = malloc(need);
        if (!ret->text)
            return -ENOMEM;
        ret->text_size = need;
    }
    by_descriptor = has_descriptor(&ret->facts) && !names_are_absolute(&ret->facts);
    for (unsigned i = 0; i < ret->facts.path_count; i++) {
        const struct audit_path *p = &ret->facts.paths[i];
        struct search_path *out = &ret->paths[ret->count];

        if (p->nested)
            continue;
        *out = resolve(ret, places, p, by_descriptor);
        if (!p->name.data || !has_identity(&p->file))
            ;
        else if (!out->certain && first_wins && p->type != AUDIT_NAME_PARENT)
            learn_name(places, p, parent_of(&ret->facts, p));
        else if (!out->certain)
            ;
        else if (first_wins && !find_place(places, &p->file).data)
            search_places_learn(places, p->file.device, p->file.inode, out->path);
        /* of a directory that was removed too: what happened in it may be read again */
        else if (!first_wins && (p->type != AUDIT_NAME_DELETE || S_ISDIR(p->file.mode)) && ret->facts.success)
            search_places_learn(places, p->file.device, p->file.inode, out->path);
        ret->count++;
    }
    ret->change_count = ret->facts.has_syscall && knows_call(&ret->facts) ? audit_meaning(&ret->facts, ret->changes)
                                               : audit_meaning_of_names(&ret->facts, ret->changes);
    return 0;
}

int search_paths_read(const struct search_event *event, struct search_places *places,
                      struct search_paths *ret)
{
    struct audit_group group = { .time_ms = event->sec * 1000 + event->milli,
                                 .serial = event->serial,
                                 .node = event->node,
                                 .complete = true };

    if (ret->records_size < event->count) {
        struct audit_record *grown = realloc(ret->records, event->count * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        ret->records = grown;
        ret->records_size = event->count;
    }
    for (unsigned i = 0; i < event->count; i++)
        if (audit_record_parse_line(event->records[i].text, &ret->records[group.count], NULL) == 0)
            group.count++;
    group.records = ret->records;
    return search_paths_read_group(&group, places, false, ret);
}

void search_paths_done(struct search_paths *p)
{
    audit_scratch_done(&p->scratch);
    free(p->records);
    free(p->text);
    p->records = NULL;
    p->text = NULL;
    p->text_size = p->records_size = 0;
}

static struct bytes path_of(const struct search_paths *paths, struct bytes name,
                            const struct audit_path *object)
{
    for (unsigned i = 0; i < paths->count; i++) {
        const struct search_path *p = &paths->paths[i];

        if (p->record->type == AUDIT_NAME_PARENT)
            continue;
        if (name.data && p->path.data && bytes_equal(bytes_basename(p->path), bytes_basename(name)))
            return p->path;
    }
    for (unsigned i = 0; i < paths->count; i++)
        if (object && paths->paths[i].record == object && paths->paths[i].path.data)
            return paths->paths[i].path;
    return name;
}

struct bytes search_change_path(const struct search_paths *paths, const struct audit_change *change)
{
    return path_of(paths, change->name, change->object);
}

struct bytes search_change_previous_path(const struct search_paths *paths,
                                         const struct audit_change *change)
{
    return change->previous_name.data ? path_of(paths, change->previous_name, NULL) : BYTES_NULL;
}
