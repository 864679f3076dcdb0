/* SPDX-License-Identifier: MIT */
#include "clues/manifest.h"
#include "clues/source.h"
#include "clues/yaml_lines.h"
#include "util/cleanup.h"

#define OWNER_MAX 128

struct composing {
    struct sbuf *answer;
    const struct manifest_container *container;
    struct bytes name; /* of the file */
    unsigned file;
    struct manifest_mount mounts[MANIFEST_MOUNTS_MAX];
    size_t count;
    unsigned item;     /* of the volume that is being read; 0: none */
    unsigned found_file, found_line; /* the service; line 0: it is not there */
    bool read_only;
    bool unclear;
};

static void not_understood(struct composing *c, const struct yaml_node *n, const char *what)
{
    if (!c->unclear)
        clue_put_note(c->answer, "%.*s:%u is not understood: %s", BYTES_SHOWN(c->name), n->line, what);
    c->unclear = true;
}

static bool is_true(struct bytes value)
{
    static const char *const all[] = { "true", "yes", "on" };

    return BYTES_AMONG(value, all);
}

static struct manifest_mount *add(struct composing *c, const struct yaml_node *n, enum manifest_kind kind)
{
    if (c->count == MANIFEST_MOUNTS_MAX) {
        not_understood(c, n, "more volumes than are looked at");
        return NULL;
    }
    c->mounts[c->count] = (struct manifest_mount){ .kind = kind, .file = c->file, .line = n->line };
    return &c->mounts[c->count++];
}

static enum manifest_kind kind_of_source(struct bytes source)
{
    return !source.len ? MANIFEST_NAMELESS : strchr("/.~", source.data[0]) ? MANIFEST_BIND : MANIFEST_VOLUME;
}

/* "TARGET", "SOURCE:TARGET", "SOURCE:TARGET:MODES" */
static void take_short(struct composing *c, const struct yaml_node *n)
{
    struct bytes rest = n->value, first = bytes_next_field(&rest, ':'), target = bytes_next_field(&rest, ':'), mode;
    struct manifest_mount *m;

    if (bytes_char(n->value, '$')) {
        not_understood(c, n, "a variable");
        return;
    }
    m = add(c, n, target.len ? kind_of_source(first) : MANIFEST_NAMELESS);
    if (!m)
        return;
    m->source = target.len ? first : BYTES_NULL;
    m->target = target.len ? target : first;
    while (rest.len) {
        mode = bytes_next_field(&rest, ',');
        m->read_only |= bytes_equal_str(mode, "ro");
    }
}

static void take_tmpfs(struct composing *c, const struct yaml_node *n)
{
    struct bytes rest = n->value;
    struct manifest_mount *m = rest.len ? add(c, n, MANIFEST_TMPFS) : NULL;

    if (m)
        m->target = bytes_next_field(&rest, ':');
}

static void take_long(struct composing *c, const struct yaml_node *n)
{
    struct bytes key = yaml_key(n, 4);
    struct manifest_mount *m;

    if (c->item != n->levels[3].item) {
        c->item = add(c, n, MANIFEST_NAMELESS) ? n->levels[3].item : 0;
        if (!c->item)
            return;
    }
    m = &c->mounts[c->count - 1];
    if (bytes_char(n->value, '$')) {
        not_understood(c, n, "a variable");
        return;
    }
    if (bytes_equal_str(key, "type"))
        m->kind = bytes_equal_str(n->value, "tmpfs") ? MANIFEST_TMPFS : bytes_equal_str(n->value, "bind") ? MANIFEST_BIND : m->kind;
    else if (bytes_equal_str(key, "source"))
        m->source = n->value;
    else if (bytes_equal_str(key, "target"))
        m->target = n->value;
    else if (bytes_equal_str(key, "read_only"))
        m->read_only = is_true(n->value);
    else if (bytes_equal_str(yaml_key(n, 5), "subpath"))
        m->sub_path = n->value;
    if (m->kind == MANIFEST_NAMELESS && m->source.len)
        m->kind = MANIFEST_VOLUME;
}

static void on_node(void *data, const struct yaml_node *n)
{
    struct composing *c = data;
    struct bytes key = yaml_key(n, 2);
    bool listed;

    if (n->depth && !bytes_equal_str(yaml_key(n, 0), "services"))
        return;
    if (n->depth > 1 && !bytes_equal(yaml_key(n, 1), c->container->service))
        return;
    if (n->unclear) {
        not_understood(c, n, n->unclear);
        return;
    }
    if (n->depth == 2) {
        c->found_file = c->file;
        c->found_line = n->line;
    }
    listed = n->depth >= 4 && n->levels[3].item;
    if (bytes_equal_str(key, "extends"))
        not_understood(c, n, "it extends another service");
    else if (bytes_equal_str(key, "read_only") && n->depth == 3)
        c->read_only = is_true(n->value);
    else if (bytes_equal_str(key, "tmpfs"))
        take_tmpfs(c, n);
    else if (bytes_equal_str(key, "volumes") && listed && n->depth == 4)
        n->value.len ? take_short(c, n) : (void)0;
    else if (bytes_equal_str(key, "volumes") && listed)
        take_long(c, n);
}

void manifest_compose(struct sbuf *answer, const struct clue_question *q, const struct manifest_container *container, const struct bytes *names,
                      const struct bytes *texts, size_t count)
{
    static struct composing c; /* too large for a stack; a worker has one thread */
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct manifest_mount nothing = { .kind = MANIFEST_NOTHING };
    const struct manifest_mount *m;
    char owner[OWNER_MAX];

    c = (struct composing){ .answer = answer, .container = container };
    for (size_t i = 0; i < count; i++) {
        c.file = (unsigned)i;
        c.name = names[i];
        c.item = 0;
        yaml_read(texts[i], on_node, &c);
    }
    if (!c.found_line)
        return;
    m = manifest_covering(c.mounts, c.count, q->path);
    /* that nothing is mounted there is said only where all was understood, and the engine says so too */
    if (!m && (c.unclear || !container->is_layer))
        return;
    nothing.read_only = c.read_only;
    nothing.file = c.found_file;
    nothing.line = c.found_line;
    m = m ? m : &nothing;
    snprintf(owner, sizeof(owner), "service %.*s", BYTES_SHOWN(container->service));
    manifest_put(answer, q, container, owner, m, clue_place(&place, names[m->file], m->line));
}
