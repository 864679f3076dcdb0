/* SPDX-License-Identifier: MIT */
/* Snapshots and backups. */
#pragma once

#include "clues/fact.h"

/* A file of /etc/lvm/backup: the snapshots in it. Pure. */
void copies_lvm(struct sbuf *answer, struct bytes name, struct bytes text);
