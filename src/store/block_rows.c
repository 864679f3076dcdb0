/* SPDX-License-Identifier: MIT */
#include "store/block_rows.h"

#include "store/fields.h"

bool block_rows_take(struct bytes *rest, struct block_rows *rows, unsigned *ret_differ)
{
    unsigned differ;
    uint64_t row;

    if (!rest->len)
        return false;
    differ = (unsigned char)rest->data[0];
    if (differ >> BLOCK_ROWS)
        return false;
    *rest = (struct bytes){ rest->data + 1, rest->len - 1 };
    for (unsigned left = differ; left; left &= left - 1) {
        if (!unpack_u64(rest, &row))
            return false;
        rows->row[__builtin_ctz(left)] = (int64_t)row;
    }
    *ret_differ = differ;
    return true;
}
