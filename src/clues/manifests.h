/* SPDX-License-Identifier: MIT */
/* The manifests on this host that made what is asked for, as a source. */
#pragma once

#include "clues/clues.h"

int manifests_ask(struct clues *c, unsigned source, struct err *err);
