/* SPDX-License-Identifier: MIT */
/* A file's content, as it is: shared with its source where the file system can, holes stay holes. */
#pragma once

/* from: open for reading, to: empty, open for writing. Both positions move. -ESTALE: the source became shorter meanwhile. */
int copy_content(int from, int to);
/* Do two files that are open for reading have the same content? 1: yes, 0: no. */
int content_is_equal(int a, int b);
