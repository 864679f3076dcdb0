/* SPDX-License-Identifier: MIT */
/* Watches that were given up, and labels that were exchanged: events that are under way borrowed their texts. */
#pragma once

#include <stdbool.h>

struct watch;
struct watch_labels;
struct watchset;

/* Takes over what is not NULL; its objects and instances have gone already. */
void gone_add(struct watchset *set, struct watch *w, struct watch_labels *labels);
/* Frees those that are older than any event; all: every one. After objects_forget_retired(). */
void gone_forget(struct watchset *set, bool all);
/* With its objects and instances. */
void watch_free(struct watch *w);
