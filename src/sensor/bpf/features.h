/* SPDX-License-Identifier: MIT */
/* What the running kernel's BTF says: which functions exist, and where their arguments are. */
#pragma once

#include <stdbool.h>

#include "util/err.h"
#include "wire/hooks.h"

struct btf;

/* -EPERM: what of this machine or of our rights is in the way of tracing programs, all of it in one line. */
int features_permitted(struct err *err);
/* Why the kernel said EPERM although nothing of that is in the way; one line, static. */
const char *features_refusal(void);

/* -ENOENT: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF). Free with features_close(). */
int features_open(struct btf **ret, struct err *err);
void features_close(struct btf *btf); /* NULL is fine */

/* By BTF: a static or inlined one may be missing. */
bool features_has_function(const struct btf *btf, const char *name);
bool features_has_type(const struct btf *btf, const char *name); /* a struct */
/* Does this kernel, as it was booted, interrupt a task in its own code to run another one? Where it cannot be known: true. */
bool features_preempts(const struct btf *btf);
/* Number of arguments; -ENOENT. */
int features_argument_count(const struct btf *btf, const char *name);
/* Index of the n-th (from 0) argument that is a pointer to struct `type`; -ENOENT. */
int features_find_argument(const struct btf *btf, const char *name, const char *type, unsigned n);
/* True if the function returns a pointer. */
bool features_returns_pointer(const struct btf *btf, const char *name);
