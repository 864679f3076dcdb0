/* SPDX-License-Identifier: MIT */
#include "report/difference.h"

#include <errno.h>
#include <stdlib.h>

#include "event/sentence.h"
#include "report/difference_end.h"
#include "report/difference_json.h"
#include "report/difference_line.h"
#include "util/cleanup.h"

#define SHOWN 5          /* equal neighbours that are shown before the rest is folded */
#define CULPRITS_MAX 256 /* counted one by one; more are counted together */

struct difference_page *difference_page_new(const struct difference_page_options *options)
{
    struct difference_page *p = calloc(1, sizeof(*p));

    if (p)
        p->options = *options;
    return p;
}

void difference_page_free(struct difference_page *p)
{
    struct difference_culprit *c, *next;

    if (!p)
        return;
    HASH_ITER(hh, p->culprits, c, next) {
        HASH_DEL(p->culprits, c);
        free(c->text);
        free(c);
    }
    free(p);
}

uint64_t difference_page_count(const struct difference_page *p)
{
    return p->count;
}

static void print_fold(struct difference_page *p, struct sbuf *out)
{
    if (p->folded)
        sbuf_addf(out, "%*s… and %llu more like this\n", DIFFERENCE_KIND_WIDTH, "", (unsigned long long)p->folded);
    p->folded = 0;
}

static int count(struct difference_page *p, const struct difference *d, struct fingerprint suspect)
{
    struct difference_culprit *c;

    p->count++;
    p->counts[d->kind]++;
    if (!d->event) {
        p->unrecorded[d->unrecorded]++;
        return 0;
    }
    HASH_FIND(hh, p->culprits, &suspect, sizeof(suspect), c);
    if (!c && HASH_COUNT(p->culprits) >= CULPRITS_MAX) {
        p->others++;
        return 0;
    }
    if (!c) {
        struct sentence_style plain = { 0 };
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

        c = calloc(1, sizeof(*c));
        if (!c)
            return -ENOMEM;
        c->suspect = suspect;
        sentence_actor(&text, d->event, &plain);
        c->text = sbuf_steal(&text);
        HASH_ADD(hh, p->culprits, suspect, sizeof(c->suspect), c);
        if (!HASH_IS_IN(hh, c)) {
            free(c->text);
            free(c);
            return -ENOMEM;
        }
    }
    c->counts[d->kind]++;
    c->total++;
    return 0;
}

int difference_page_add(struct difference_page *p, const struct difference *d, struct sbuf *out)
{
    struct fingerprint suspect = d->event ? event_suspect(d->event) : (struct fingerprint){ 0 };
    int r = count(p, d, suspect);

    if (r < 0)
        return r;
    if (p->options.json) {
        difference_write_json(out, d, p->options.container,
                              p->options.volume      ? VICTIM_VOLUME
                              : p->options.container ? VICTIM_CONTAINER
                                                     : VICTIM_HOST,
                              p->options.against, p->options.host);
        return sbuf_error(out);
    }
    if (p->run && p->kind == d->kind && p->reason == d->unrecorded && fingerprint_equal(p->suspect, suspect)) {
        if (++p->run > SHOWN) {
            p->folded++;
            return 0;
        }
    } else {
        print_fold(p, out);
        p->kind = d->kind;
        p->reason = d->unrecorded;
        p->suspect = suspect;
        p->run = 1;
    }
    difference_write_line(&p->options, d, out);
    return sbuf_error(out);
}

void difference_page_end(struct difference_page *p, const struct difference_end *end, struct sbuf *out)
{
    if (p->options.json) {
        difference_end_json(p, end, out);
        return;
    }
    print_fold(p, out);
    difference_end_text(p, end, out);
}
