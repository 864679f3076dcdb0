/* SPDX-License-Identifier: MIT */
#include "clues/manifest.h"

#include <errno.h>

#include "engine/flat.h"
#include "util/cleanup.h"

void manifest_container_put(struct sbuf *out, const struct manifest_container *c)
{
    const struct bytes texts[] = { c->name, c->service, c->pod, c->pod_container, c->files, c->directory };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        flat_put_bytes(out, texts[i]);
    flat_put_u64(out, c->created_ns);
    flat_put_u64(out, c->started_ns);
    flat_put_u64(out, c->is_layer);
}

int manifest_container_get(struct bytes in, struct manifest_container *ret)
{
    struct manifest_container c = { 0 };
    struct bytes *const texts[] = { &c.name, &c.service, &c.pod, &c.pod_container, &c.files, &c.directory };
    uint64_t is_layer = 0;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (flat_get_bytes(&in, texts[i]) < 0)
            return -EBADMSG;
    if (flat_get_u64(&in, &c.created_ns) < 0 || flat_get_u64(&in, &c.started_ns) < 0 || flat_get_u64(&in, &is_layer) < 0)
        return -EBADMSG;
    c.is_layer = is_layer;
    *ret = c;
    return 0;
}

static struct bytes without_slash(struct bytes path)
{
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return path;
}

bool manifest_covers(struct bytes target, struct bytes path)
{
    target = without_slash(target);
    return target.len && target.data[0] == '/' && bytes_path_covers(target, path);
}

const struct manifest_mount *manifest_covering(const struct manifest_mount *all, size_t count, struct bytes path)
{
    const struct manifest_mount *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (manifest_covers(all[i].target, path) && (!best || without_slash(all[i].target).len >= without_slash(best->target).len))
            best = &all[i];
    return best;
}

/* What a place is, and what becomes of it. */
static const struct kind_row {
    const char *says;    /* behind "service web: /prd "; SOURCE stands for that */
    const char *suspect; /* before the container's name; NULL: it points at nobody */
    unsigned marks;
    bool at_start;       /* of the container; else when it is made anew */
} kinds[] = {
    [MANIFEST_NOTHING] = { "lies in the container's writable layer: what was written there is gone whenever the container is made anew",
                           "the making anew of container ", CLUE_REMOVES | CLUE_RECREATES, false },
    [MANIFEST_TMPFS] = { "lies in a tmpfs: it is empty whenever the container starts", "the start with an empty tmpfs of container ",
                         CLUE_REMOVES | CLUE_RECREATES, true },
    [MANIFEST_BIND] = { "is SOURCE of the host: what changes that changes this", NULL, 0, false },
    [MANIFEST_VOLUME] = { "lies in volume SOURCE, which outlives the container; `down -v` removes it", NULL, 0, false },
    [MANIFEST_NAMELESS] = { "lies in a volume without a name: after `down` the container gets another one", "the making anew of container ",
                            CLUE_REMOVES | CLUE_RECREATES, false },
    [MANIFEST_EMPTY_DIR] = { "lies in emptyDir SOURCE: it is gone with the pod, and outlives its containers",
                             "the removal of the pod of container ", CLUE_REMOVES | CLUE_RECREATES, false },
    [MANIFEST_KUBELET] = { "is written by kubelet (SOURCE: configMap, secret or the like), anew whenever that is changed", NULL, 0, false },
    [MANIFEST_CLAIM] = { "lies in volume SOURCE, which outlives the pod", NULL, 0, false },
};

static void add_says(struct sbuf *text, const char *says, struct bytes source)
{
    const char *at = strstr(says, "SOURCE");

    sbuf_add(text, says, at ? (size_t)(at - says) : strlen(says));
    if (!at)
        return;
    sbuf_add_bytes(text, bytes_cut(source, 80));
    sbuf_add_str(text, at + 6);
}

void manifest_put(struct sbuf *answer, const struct clue_question *q, const struct manifest_container *c, const char *owner,
                  const struct manifest_mount *mount, struct bytes place)
{
    const struct kind_row *row = &kinds[mount->kind];
    struct bytes target = mount->kind == MANIFEST_NOTHING ? q->path : without_slash(mount->target);
    struct clue_fact f = { .kind = CLUE_RULE, .marks = row->marks, .place = place };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, suspect = SBUF_INIT;

    f.marks |= bytes_equal(target, q->path) ? CLUE_NAMES_PATH : CLUE_NAMES_ABOVE;
    sbuf_addf(&text, "%s: ", owner);
    sbuf_add_bytes(&text, bytes_cut(target, 80));
    sbuf_add_char(&text, ' ');
    if (mount->kind == MANIFEST_NOTHING && mount->read_only) {
        sbuf_add_str(&text, "lies in a root that is read-only for the container: its own processes cannot change it");
        f.marks &= CLUE_NAMES;
    } else {
        add_says(&text, row->says, mount->source);
        sbuf_add_str(&text, mount->read_only ? "; read-only for the container" : "");
    }
    if (mount->sub_path.len) {
        sbuf_add_str(&text, "; of it the part ");
        sbuf_add_bytes(&text, bytes_cut(mount->sub_path, 80));
        sbuf_add_str(&text, ", as that was when the container started: one that took its place since is not seen here");
    }
    if (row->suspect && (f.marks & CLUE_REMOVES)) {
        sbuf_add_str(&suspect, row->suspect);
        sbuf_add_bytes(&suspect, c->name);
        f.from_ns = row->at_start ? c->started_ns : mount->kind == MANIFEST_EMPTY_DIR ? 0 : c->created_ns;
    }
    f.suspect = sbuf_bytes(&suspect);
    f.text = sbuf_bytes(&text);
    clue_put(answer, &f);
}
