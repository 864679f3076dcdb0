/* SPDX-License-Identifier: MIT */
#include "cli/who_places.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/who_store.h"
#include "util/fingerprint.h"
#include "util/hash_table.h"

#define KEPT_MAX 500000 /* of 100 bytes */

struct counted_once {
    struct fingerprint key;
    UT_hash_handle hh;
};

static bool is_of_one(const struct selector *a, const struct selector *b)
{
    return a->kind == b->kind && bytes_equal(a->runtime, b->runtime) && bytes_equal(a->text, b->text);
}

/* Of two that are the same the first one is asked for. What two selectors choose may be one place all the same: a container by name and by
 * id, a volume and its path on the host. */
static void compare(struct who_places *p)
{
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; j < p->count; j++) {
            struct who_place *one = &p->at[i];
            const struct who_place *other = &p->at[j];
            bool of_one = is_of_one(&one->target.selector, &other->target.selector);

            p->mixed |= !of_one;
            if (i == j || !of_one || !bytes_path_covers(other->path, one->path))
                continue;
            if (!bytes_equal(one->path, other->path))
                one->covered = true;
            else if (j < i)
                one->same = true;
        }
}

int who_places_parse(struct who_places *p, char *const *targets, size_t count, struct bytes cwd, bool links, struct err *err)
{
    int r = 0;

    p->at = calloc(count, sizeof(*p->at));
    if (!p->at)
        return err_set(err, -ENOMEM, "targets");
    for (size_t i = 0; i < count && r == 0; i++) {
        struct who_place *place = &p->at[i];

        r = target_parse(bytes_of(targets[i]), cwd, &place->target, err);
        if (r < 0)
            break;
        p->count++;
        r = cli_check_target_answers(&place->target, err);
        if (r < 0)
            break;
        place->path = links && place->target.selector.kind == SELECTOR_NONE ? cli_follow_links(&place->target) : place->target.path;
    }
    if (r == 0)
        compare(p);
    return r;
}

bool who_places_asked(const struct who_places *p, const struct who_place *former)
{
    for (size_t i = 0; i < p->count; i++)
        if (is_of_one(&p->at[i].target.selector, &former->target.selector) && bytes_path_covers(p->at[i].path, former->path))
            return true;
    return false;
}

int who_places_add_former(struct who_places *p, size_t at, const struct store_former *former)
{
    struct who_place *more = reallocarray(p->at, p->count + p->former_count + 1, sizeof(*more)), *place;
    const struct selector *of;

    if (!more)
        return -ENOMEM;
    p->at = more;
    place = &more[p->count + p->former_count];
    of = &more[at].target.selector;
    *place = (struct who_place){ .former = true, .since_ns = former->from_ns, .until_ns = former->to_ns };
    place->target.selector = (struct selector){ of->kind, arena_copy(&place->target.arena, of->runtime), arena_copy(&place->target.arena, of->text) };
    place->path = place->target.path = place->target.text = arena_copy(&place->target.arena, former->path);
    if (!place->path.data) {
        target_done(&place->target);
        return -ENOMEM;
    }
    p->former_count++;
    return 0;
}

void who_places_done(struct who_places *p)
{
    struct counted_once *c, *next;

    HASH_ITER(hh, p->counted, c, next) {
        HASH_DEL(p->counted, c);
        free(c);
    }
    for (size_t i = 0; i < p->count + p->former_count; i++)
        target_done(&p->at[i].target);
    free(p->at);
    *p = (struct who_places){ 0 };
}

/* What cannot be kept counts, and that is said. */
static bool is_new(struct who_places *p, struct fingerprint key)
{
    struct counted_once *c;

    HASH_FIND(hh, p->counted, &key, sizeof(key), c);
    if (c)
        return false;
    c = HASH_COUNT(p->counted) < KEPT_MAX ? calloc(1, sizeof(*c)) : NULL;
    if (c) {
        c->key = key;
        HASH_ADD(hh, p->counted, key, sizeof(c->key), c);
        HASH_FREE_IF_OUT(hh, c);
    }
    p->unsure |= !c;
    return true;
}

/* As it is shown: by a log, which has only the path, one change may be of either of two places. */
static struct fingerprint key_of(const struct event *event)
{
    const struct bytes where = event->host_path.len ? event->host_path : event->path;
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, (struct bytes){ (const char *)event->id, sizeof(event->id) });
    fingerprint_add(&of, where);
    fingerprint_add(&of, event->host_path.len || !event->victim ? BYTES_NULL : event->victim->id);
    return fingerprint_end(&of);
}

/* What went along with a folder above is said of each. */
bool who_places_new_event(struct who_places *p, const struct event *event)
{
    if (p->count + p->former_count < 2 || event->carried.len)
        return true;
    if (event->previous_path.len)
        return is_new(p, fingerprint_of((struct bytes){ (const char *)event->id, sizeof(event->id) }));
    return !p->mixed || is_new(p, key_of(event));
}

bool who_places_new_gap(struct who_places *p, const struct gap *gap)
{
    struct fingerprint_maker of;

    if (p->count + p->former_count < 2)
        return true;
    fingerprint_begin(&of);
    fingerprint_add_word(&of, gap->reason);
    fingerprint_add_word(&of, gap->count);
    fingerprint_add_word(&of, gap->from_ns);
    fingerprint_add_word(&of, gap->to_ns);
    fingerprint_add_word(&of, gap->sensor);
    return is_new(p, fingerprint_end(&of));
}
