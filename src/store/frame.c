/* SPDX-License-Identifier: MIT */
#include "store/frame.h"

#include <errno.h>
#include <zstd.h>

#define COMPRESSION 9 /* zstd's: levels above it save nothing here */

int frame_add(struct bytes data, struct sbuf *out)
{
    size_t size = ZSTD_compressBound(data.len), n;
    char *room = sbuf_room(out, size);
    ZSTD_CCtx *context = room ? ZSTD_createCCtx() : NULL;

    if (!context)
        return -ENOMEM;
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, COMPRESSION);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    n = ZSTD_compress2(context, room, size, data.data, data.len);
    ZSTD_freeCCtx(context);
    if (ZSTD_isError(n))
        return -ENOMEM; /* nothing else can go wrong */
    sbuf_added(out, n);
    return 0;
}

int frame_take(struct bytes frame, size_t size, struct sbuf *out)
{
    char *room = sbuf_room(out, size ? size : 1);

    if (!room)
        return -ENOMEM;
    if (ZSTD_decompress(room, size, frame.data, frame.len) != size)
        return -EBADMSG;
    sbuf_added(out, size);
    return 0;
}
