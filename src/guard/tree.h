/* SPDX-License-Identifier: MIT */
/* All files at and below a target, without following a symbolic link or entering a mount. */
#pragma once

#include <sys/stat.h>

#include "guard/guard.h"

/* fd: O_PATH, borrowed. Non-zero stops, and is returned. */
typedef int guard_visit_fn(void *data, int fd, const struct stat *st);

/* Where they lie: of a container in its layers, each that it sees, and each layer's directory of those that it sees; of what the
 * host has mounted there, on the host. -ENOENT: nothing is there. */
int guard_tree_layers(const struct guard_target *target, guard_visit_fn *visit, void *data, struct err *err);
/* As whoever uses them meets them: through the container's overlay, if it runs. */
int guard_tree_view(const struct guard_target *target, guard_visit_fn *visit, void *data, struct err *err);
/* An overlay remembers of a file of a lower layer what flags it had: that is given up, as far as nobody uses it. */
void guard_tree_forget(void);
