/* SPDX-License-Identifier: MIT */
#include "attribution/owner_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "attribution/package_search.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash_table.h"
#include "util/macro.h"

#define LIST_MAX (4 * 1024 * 1024)        /* one package's list; linux-headers has 1.5 MB */
#define GATHER_MAX (192 * 1024 * 1024)    /* all files of one question */
#define STATUS_MAX (16 * 1024 * 1024)     /* dpkg's status of 3000 packages is 4 MB */
#define INSTALLED_MAX (32 * 1024 * 1024)  /* apk's of 500 packages is 3 MB */
#define RPMDB_MAX (64 * 1024 * 1024)      /* a base image's is 10 to 20 MB */
#define CACHE_MAX 4096

#define STATES_MAX 256                    /* containers whose databases' state is remembered; the oldest go first */
#define LOOK_AGAIN_NS NS_PER_S            /* the databases are looked at for changes so often */
#define DISTRUST_NS (60 * NS_PER_S)       /* a container whose files did not answer is not asked for so long */
#define CUT_MAX 6u                         /* DISTRUST_NS doubles so often, less once: half an hour */
#define WAIT_MS 300                       /* for an answer, before the event goes on without; it is kept when it comes */
#define STATE_MS 1000                     /* a worker's deadline: to look at the databases' state */
#define SEARCH_MS 5000                    /* and to search them */

struct inside_answer {
    char *package, *version; /* owned; NULL: none */
    bool known;
    UT_hash_handle hh;
    size_t key_len;
    char key[];
};

/* The state of one container's databases, by its id, or by where its files are. */
struct database_state {
    struct foreign_pending pending;
    char *text; /* owned; NULL: not known */
    size_t len;
    struct foreign_pending search; /* one at a time */
    char *searched;                /* the path; owned */
    uint64_t looked_ns, distrusted_until_ns;
    unsigned cut; /* searches in a row that were ended before they were done */
    UT_hash_handle hh;
    size_t key_len;
    char key[];
};

struct image_packages {
    struct inside_answer *answers;
    struct database_state *states; /* in the order of their making */
};

int image_packages_new(struct image_packages **ret, struct err *err)
{
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : err_set(err, -ENOMEM, "packages");
}

static char *memdup(struct bytes b)
{
    return strndup(b.data ? b.data : "", b.len);
}

static void forget_answers(struct image_packages *p)
{
    struct inside_answer *a, *next;

    HASH_ITER(hh, p->answers, a, next) {
        HASH_DEL(p->answers, a);
        free(a->package);
        free(a->version);
        free(a);
    }
}

static void forget_state(struct image_packages *p, struct database_state *s)
{
    HASH_DEL(p->states, s);
    foreign_pending_done(&s->pending);
    foreign_pending_done(&s->search);
    free(s->searched);
    free(s->text);
    free(s);
}

void image_packages_free(struct image_packages *p)
{
    if (!p)
        return;
    forget_answers(p);
    while (p->states)
        forget_state(p, p->states);
    free(p);
}

/* The state of the databases that are there. The time of change is the kernel's, not to be set. */
static void add_state(const struct inside *in, struct sbuf *key)
{
    for (size_t i = 0; package_databases[i].file; i++) {
        struct stat st;

        if (inside_stat(in, package_databases[i].file, &st) == 0)
            sbuf_addf(key, "%zu:%llu:%lld:%lld.%09ld;", i, (unsigned long long)st.st_ino, (long long)st.st_size,
                      (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
    }
}

/* ---- in the worker ---- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);

    return n > s && strcmp(name + n - s, suffix) == 0;
}

static int gather_state(struct bytes place, struct gathered *g)
{
    struct inside in = INSIDE_NONE;
    struct sbuf key = SBUF_INIT;
    struct stat st;
    size_t len;
    int r = inside_open(place, &in);

    if (r < 0)
        return r;
    add_state(&in, &key);
    if (!key.len && in.root >= 0 && fstat(in.root, &st) == 0) /* distroless: nothing that changes with its packages */
        sbuf_addf(&key, "%llu:%llu;", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    inside_done(&in);
    len = key.len;
    return len ? gathered_add(g, "state", sbuf_steal(&key), len) : -ENOENT;
}

static const struct foreign_job state_job = { "the package lists of a container", 64 * 1024, gather_state, NULL, false };

static int gather_file(const struct inside *in, const char *path, const char *name, size_t max, struct gathered *g)
{
    char *text;
    size_t len;
    int r = inside_read(in, path, max, &text, &len);

    return r < 0 ? 0 : gathered_add(g, name, text, len); /* what is not there has no answer */
}

/* The files of a directory that end so, each as `kind` and its name; of those with an empty suffix all others. */
static int gather_lists(const struct inside *in, const char *dir, const char *suffix, char kind, struct gathered *g)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    size_t n = 0;
    int r = 0;

    if (inside_list(in, dir, &names, &n) < 0)
        return 0;
    for (size_t i = 0, at = 0; i < n && r == 0; i++, at += strlen(names.data + at) + 1) {
        const char *file = names.data + at;
        char *name, full[600];

        if (*suffix ? !ends_with(file, suffix) : ends_with(file, ".md5sums"))
            continue;
        if (snprintf(full, sizeof(full), "%s/%s", dir, file) >= (int)sizeof(full))
            continue;
        if (asprintf(&name, "%c%s", kind, file) < 0)
            return -ENOMEM;
        r = gather_file(in, full, name, LIST_MAX, g);
    }
    return r;
}

/* The path that is looked for, NUL, the place. */
static int gather_databases(struct bytes request, struct gathered *g)
{
    size_t path_len = strnlen(request.data, request.len);
    struct inside in = INSIDE_NONE;
    int r;

    if (path_len == request.len)
        return -EINVAL;
    r = inside_open((struct bytes){ request.data + path_len + 1, request.len - path_len - 1 }, &in);
    if (r == 0)
        r = gather_file(&in, package_databases[0].file, "status", STATUS_MAX, g);
    if (r == 0)
        r = gather_lists(&in, "/var/lib/dpkg/info", ".list", 'L', g);
    if (r == 0)
        r = gather_lists(&in, "/var/lib/dpkg/status.d", ".md5sums", 'D', g);
    if (r == 0)
        r = gather_lists(&in, "/var/lib/dpkg/status.d", "", 'S', g);
    for (size_t i = 1; package_databases[i].file && r == 0; i++)
        r = gather_file(&in, package_databases[i].file, package_databases[i].file, package_databases[i].rpm ? RPMDB_MAX : INSTALLED_MAX, g);
    inside_done(&in);
    return r;
}

static const struct foreign_job search_job = { "the package lists of a container", GATHER_MAX, gather_databases,
                                               image_packages_search, false };

/* ---- asking it ---- */

static struct database_state *new_state(struct image_packages *p, struct bytes key)
{
    struct database_state *s;

    if (HASH_COUNT(p->states) >= STATES_MAX)
        forget_state(p, p->states);
    s = calloc(1, sizeof(*s) + key.len);
    if (!s)
        return NULL;
    s->pending = s->search = FOREIGN_PENDING_NONE;
    s->key_len = key.len;
    memcpy(s->key, key.data, key.len);
    HASH_ADD_KEYPTR(hh, p->states, s->key, s->key_len, s);
    HASH_FREE_IF_OUT(hh, s);
    return s;
}

/* One that did not answer in time is not waited for again soon, unless the answer comes after all: then it was
 * the machine that was busy. */
static unsigned patience(const struct database_state *s)
{
    return clock_ns(CLOCK_MONOTONIC) < s->distrusted_until_ns ? 0 : WAIT_MS;
}

static void judge(struct database_state *s, int r)
{
    s->distrusted_until_ns = r == -EAGAIN || r == -EBADMSG ? clock_ns(CLOCK_MONOTONIC) + DISTRUST_NS : 0;
}

static void look(struct database_state *s, struct bytes place, unsigned wait_ms)
{
    struct bytes answer;
    int r;

    if (s->pending.fd < 0 && s->looked_ns && clock_ns(CLOCK_MONOTONIC) - s->looked_ns < LOOK_AGAIN_NS)
        return;
    if (s->pending.fd < 0 && !patience(s))
        return;
    r = foreign_wait(&s->pending, &state_job, place, STATE_MS, wait_ms, &answer);
    s->looked_ns = clock_ns(CLOCK_MONOTONIC);
    judge(s, r);
    if (r == -EAGAIN)
        return;
    free(s->text);
    s->text = r == 0 ? memdup(answer) : NULL;
    s->len = s->text ? answer.len : 0;
    foreign_pending_done(&s->pending);
}

static void take_answer(struct inside_answer *a, struct bytes text)
{
    size_t name_len = strnlen(text.data, text.len);

    a->known = true;
    a->package = memdup((struct bytes){ text.data, name_len });
    a->version = name_len < text.len ? memdup((struct bytes){ text.data + name_len + 1, text.len - name_len - 1 }) : NULL;
}

static struct inside_answer *answer_of(struct image_packages *p, const struct database_state *s, struct bytes path)
{
    _cleanup_sbuf_ struct sbuf key = SBUF_INIT;
    struct inside_answer *a;

    sbuf_add(&key, s->text, s->len);
    sbuf_add_bytes(&key, path);
    if (sbuf_error(&key) < 0)
        return NULL;
    HASH_FIND(hh, p->answers, key.data, key.len, a);
    if (a)
        return a;
    if (HASH_COUNT(p->answers) >= CACHE_MAX)
        forget_answers(p);
    a = calloc(1, sizeof(*a) + key.len);
    if (!a)
        return NULL;
    a->key_len = key.len;
    memcpy(a->key, key.data, key.len);
    HASH_ADD_KEYPTR(hh, p->answers, a->key, a->key_len, a);
    HASH_FREE_IF_OUT(hh, a);
    return a;
}

/* Waits for the search that is running, and keeps its answer. */
static void take_search(struct image_packages *p, struct database_state *s, struct bytes request, unsigned wait_ms)
{
    struct bytes text;
    int r = foreign_wait(&s->search, &search_job, request, SEARCH_MS, wait_ms, &text);
    struct inside_answer *a;

    judge(s, r);
    if (r == -EAGAIN)
        return;
    s->cut = r == -EBADMSG ? MIN(s->cut + 1, CUT_MAX) : 0;
    if (s->cut) /* where that is so each time it is asked less and less often */
        s->distrusted_until_ns = clock_ns(CLOCK_MONOTONIC) + (DISTRUST_NS << (s->cut - 1));
    a = answer_of(p, s, bytes_of(s->searched));
    if (a && !a->known && r == 0)
        take_answer(a, text);
    else if (a && r != -EBUSY && r != -EBADMSG) /* ended before it was done, as a busy machine does too: asked again when it is trusted again */
        a->known = true; /* it has none, until its databases are others */
    foreign_pending_done(&s->search);
}

/* Answers that came late, of containers that nobody asks about any more: each has a descriptor. */
static void collect(struct image_packages *p)
{
    for (struct database_state *s = p->states; s; s = s->hh.next) {
        if (s->pending.fd >= 0)
            look(s, BYTES_NULL, 0);
        if (s->search.fd >= 0)
            take_search(p, s, BYTES_NULL, 0);
    }
}

static void ask(struct image_packages *p, struct database_state *s, struct bytes place, struct bytes path)
{
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
    bool same = s->searched && bytes_equal_str(path, s->searched);

    if (s->search.fd >= 0) {
        take_search(p, s, BYTES_NULL, same ? patience(s) : 0);
        if (same)
            return;
    }
    if (s->search.fd >= 0 || !patience(s))
        return; /* what it holds takes too long: one question after the other would, too */
    free(s->searched);
    s->searched = memdup(path);
    sbuf_add_bytes(&request, path);
    sbuf_add_char(&request, '\0');
    sbuf_add_bytes(&request, place);
    if (s->searched)
        take_search(p, s, sbuf_bytes(&request), WAIT_MS);
}

int image_packages_find(struct image_packages *p, struct bytes id, struct bytes place, struct bytes path,
                        struct bytes *ret_package, struct bytes *ret_version)
{
    struct database_state *s;
    struct inside_answer *a;
    struct bytes key;

    if (!place.len || !path.len || path.data[0] != '/' || path.len > 4096 || memchr(path.data, '\n', path.len) ||
        memchr(path.data, '\0', path.len))
        return -ENOENT;
    key = id.len ? id : place;
    HASH_FIND(hh, p->states, key.data, key.len, s);
    if (!s) {
        collect(p);
        s = new_state(p, key);
    }
    if (!s)
        return -ENOMEM;
    look(s, place, patience(s));
    a = s->text ? answer_of(p, s, path) : NULL;
    if (a && !a->known)
        ask(p, s, place, path);
    a = s->text ? answer_of(p, s, path) : NULL; /* a full cache was forgotten meanwhile */
    if (!a || !a->package)
        return -ENOENT;
    *ret_package = bytes_of(a->package);
    *ret_version = bytes_of(a->version);
    return 0;
}
