/* SPDX-License-Identifier: MIT */
/*
 * What a writer that ended without a word had read and not written yet: its spools (store/spool.h) are found, put into the
 * store by the same writer as all other messages, and removed. Numbers in the store say what of a spool it has already, and
 * change in the same transaction: whoever is killed in between, nothing is missing and nothing is there twice.
 */
#pragma once

#include <sys/stat.h>

#include "store/sqlite.h"
#include "util/err.h"

/*
 * directory: of spools; NULL, or one that is not there: nothing is to be done · path, file: the store
 * db: the store, open for writing; NULL: it is opened if something is to be done
 * Number of spools that were taken over, or the error of the last one that could not be; it stays for the next who tries. What
 * nobody can ever use is removed: damaged, of another culprit's version, or of a writer that the store does not know; and so are
 * other stores' that nobody took over for a day.
 */
int takeover(const char *directory, const char *path, const struct stat *file, sqlite3 *db, struct err *err);
