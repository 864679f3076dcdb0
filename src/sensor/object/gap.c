/* SPDX-License-Identifier: MIT */
#include "sensor/object/gap.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"

#define PATH_LEAST 8 /* columns; less names nothing */
#define NAME_MOST 32 /* columns of a container's name, of which the rest is seldom needed */

/* object: what it concerns; NULL: everything. */
static void emit(const struct sensor_options *options, unsigned sensor, enum lost reason, uint64_t count, uint64_t from_real_ns,
                 const struct watch_object *object, const char *text)
{
    struct gap gap = { .reason = reason,
                       .count = count,
                       .from_ns = from_real_ns,
                       .to_ns = clock_ns(CLOCK_REALTIME),
                       .sensor = sensor };

    snprintf(gap.text, sizeof(gap.text), "%s", text);
    if (object && object->path.len < sizeof(gap.path) && object->container.len < sizeof(gap.container)) {
        snprintf(gap.path, sizeof(gap.path), "%.*s", (int)object->path.len, object->path.data);
        snprintf(gap.container, sizeof(gap.container), "%.*s", (int)object->container.len, object->container.len ? object->container.data : "");
    }
    options->sink.gap(options->sink.data, &gap);
}

void emit_gap(const struct sensor_options *options, unsigned sensor, enum lost reason, uint64_t count, uint64_t from_real_ns,
              const char *text)
{
    emit(options, sensor, reason, count, from_real_ns, NULL, text);
}

void emit_object_gap(const struct sensor_options *options, unsigned sensor, enum lost reason, uint64_t from_real_ns,
                     const struct watch_object *object, const char *text)
{
    const size_t room = sizeof(((struct gap *)NULL)->text) - 1, words = strlen(text) + strlen(" ()");
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    char whole[sizeof(((struct gap *)NULL)->text)];

    /* a column may take several bytes */
    for (size_t columns = room > words ? room - words : 0; columns >= PATH_LEAST; columns /= 2) {
        sbuf_clear(&path);
        if (object->container.len) {
            escape_terminal_path(&path, object->container, MIN((unsigned)columns, NAME_MOST));
            sbuf_add_char(&path, ':');
        }
        escape_terminal_path(&path, object->path, (unsigned)columns);
        if (path.len && path.len + words <= room)
            break;
    }
    if (!path.len || path.len + words > room || sbuf_error(&path) < 0) {
        emit(options, sensor, reason, 0, from_real_ns, object, text);
        return;
    }
    snprintf(whole, sizeof(whole), "%s (%s)", text, sbuf_str(&path));
    emit(options, sensor, reason, 0, from_real_ns, object, whole);
}
