/* SPDX-License-Identifier: MIT */
/* The files of one state directory of a runtime, read and taken apart. */
#pragma once

#include "engine/oci_json.h"

/* -EAGAIN: none of them is there yet. Caller frees the facts, also on failure. */
int oci_files_read(const char *directory, struct oci_facts *ret, struct err *err);

/* The same by a worker (foreign/foreign.h): of a directory that a user may write. Waits for 400 ms at most. */
int oci_files_ask(const char *directory, struct oci_facts *ret, struct err *err);
