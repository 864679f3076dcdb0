/* SPDX-License-Identifier: MIT */
/* Where Podman's storages may lie: root's, those of users, configured ones, and those that bundles of running containers are in. */
#pragma once

struct podman;

/* Looks for storages that are not known yet, and waits at most so long for the answer, a little longer where a container of an
 * unknown one runs. Those found are added to p->storages, and never removed; an answer that comes later is taken by the next call
 * (podman_await()). Does nothing where it was called a moment ago and no new bundle is there. Borrows p->inotify. */
void podman_find_storages(struct podman *p, unsigned wait_ms);
