/* SPDX-License-Identifier: MIT */
/* What manifests of Compose and Kubernetes say of the place that is asked for: of what it is, and when that begins anew. Pure. */
#pragma once

#include "clues/fact.h"

/* Of the container that is asked for; empty texts: it is none of that kind. */
struct manifest_container {
    struct bytes name, service, pod, pod_container;
    struct bytes files;     /* Compose's, a comma between them */
    struct bytes directory; /* that those were given from; empty: not known */
    uint64_t created_ns, started_ns;
    bool is_layer;          /* the engine has nothing mounted at the place */
};

/* As bytes, and back: views into `in`. -EBADMSG */
void manifest_container_put(struct sbuf *out, const struct manifest_container *c);
int manifest_container_get(struct bytes in, struct manifest_container *ret);

/* What a place is. */
enum manifest_kind {
    MANIFEST_NOTHING, /* nothing is mounted there: the writable layer */
    MANIFEST_TMPFS,
    MANIFEST_BIND,    /* a directory of the host */
    MANIFEST_VOLUME,
    MANIFEST_NAMELESS, /* a volume without a name */
    MANIFEST_EMPTY_DIR,
    MANIFEST_KUBELET, /* what kubelet writes: a configMap, a secret ... */
    MANIFEST_CLAIM,   /* another volume of Kubernetes */
};

struct manifest_mount {
    enum manifest_kind kind;
    struct bytes source, target;
    struct bytes sub_path;
    bool read_only;
    unsigned file, line;
};

#define MANIFEST_FILES_MAX 16
#define MANIFEST_MOUNTS_MAX 256

/* Does what is mounted at `target` have the path? */
bool manifest_covers(struct bytes target, struct bytes path);
/* The innermost of them that has the path, of several at one place the last; NULL: none. */
const struct manifest_mount *manifest_covering(const struct manifest_mount *all, size_t count, struct bytes path);
/* A fact of it. owner: "service web", "pod web"; mount: its kind may be MANIFEST_NOTHING; place: of the line. */
void manifest_put(struct sbuf *answer, const struct clue_question *q, const struct manifest_container *c, const char *owner,
                  const struct manifest_mount *mount, struct bytes place);

/* The files of a Compose project, the last one on top. */
void manifest_compose(struct sbuf *answer, const struct clue_question *q, const struct manifest_container *c, const struct bytes *names,
                      const struct bytes *texts, size_t count);
/* One manifest of Kubernetes: the pod of the container; without one, whatever pods have of the host's path. */
void manifest_pods(struct sbuf *answer, const struct clue_question *q, const struct manifest_container *c, struct bytes name, struct bytes text);
