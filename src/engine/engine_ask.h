/* SPDX-License-Identifier: MIT */
/*
 * Asking an engine's daemon without waiting for it longer than one wants: a thread puts the question, the
 * caller waits for so long and goes on. One question at a time. asker_late() says that an answer has come that
 * nobody waits for any more: the next caller with the same question gets it at once, so that a daemon that always needs
 * longer than we wait can be used too. Each question that was put is answered, in time or late. Nothing is shared: an answer is handed
 * over whole.
 */
#pragma once

#include "engine/engine_ops.h"

struct asker;

enum ask_kind { ASK_PRESENT, ASK_LIST, ASK_VIEW, ASK_VOLUME, ASK_RECENT };

struct answer {
    int r;
    struct err err;
    char text[256];               /* ASK_PRESENT */
    struct container **list;      /* ASK_LIST: one reference each */
    size_t count;
    struct container_view view;   /* ASK_VIEW */
    struct arena arena;           /* ASK_VOLUME: what `path` points to */
    struct bytes path;
    struct sbuf lines;            /* ASK_RECENT */
};

/* Frees all of it, drops the references of `list`, and zeroes it. */
void answer_done(struct answer *a);

/* ops, engine: borrowed until asker_free(). */
int asker_new(const struct engine_ops *ops, void *engine, struct asker **ret, struct err *err);
void asker_free(struct asker *a); /* NULL is fine; ends the question that is being asked */

/* -ETIMEDOUT: no answer yet (or to the question before); *ret is empty then. Else 0: ret->r is the
 * engine's own result. */
int asker_ask(struct asker *a, enum ask_kind kind, struct bytes word, unsigned timeout_ms,
              struct answer *ret);

int asker_fd(const struct asker *a);  /* readable when a late answer has come */
bool asker_late(struct asker *a);     /* one has come since the last call */
/* There was a notification about that container (NULL: any): answers to earlier questions about it are dropped. */
void asker_forget(struct asker *a, const struct container *c);
