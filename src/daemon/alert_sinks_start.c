/* SPDX-License-Identifier: MIT */
/* Sinks as the configuration says: their settings, where what waits for them is kept, a process for each. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/severity.h"
#include "config/keys_sink.h"
#include "daemon/alert_sinks.h"
#include "daemon/alert_sinks_state.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define JOURNAL "/run/systemd/journal/socket"

static struct bytes text_of(struct alert_sinks *s, const struct config_block *block, enum config_key key)
{
    return block->values[key].count ? arena_copy(&s->arena, block->values[key].items[0]) : BYTES_NULL;
}

static int read_settings(struct alert_sinks *s, const struct config_block *block, struct sink_settings *ret)
{
    const struct config_value *to = &block->values[CONFIG_SINK_TO];
    struct bytes *items = arena_alloc(&s->arena, MAX(to->count, (size_t)1) * sizeof(*items));
    struct bytes timeout = text_of(s, block, CONFIG_SINK_TIMEOUT), size = text_of(s, block, CONFIG_SINK_SIZE);
    struct bytes severity = text_of(s, block, CONFIG_SINK_SEVERITY);

    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < to->count; i++) {
        items[i] = arena_copy(&s->arena, to->items[i]);
        if (!items[i].data)
            return -ENOMEM;
    }
    *ret = (struct sink_settings){ .name = arena_copy(&s->arena, block->name),
                                   .ops = sink_ops_by_type(block->values[CONFIG_SINK_TYPE].items[0]),
                                   .to = items,
                                   .to_count = to->count,
                                   .format = text_of(s, block, CONFIG_SINK_FORMAT),
                                   .secret_file = text_of(s, block, CONFIG_SINK_SECRET),
                                   .ca_file = text_of(s, block, CONFIG_SINK_CA),
                                   .user = text_of(s, block, CONFIG_SINK_USER),
                                   .server = text_of(s, block, CONFIG_SINK_SERVER),
                                   .from = text_of(s, block, CONFIG_SINK_FROM),
                                   .timeout_ns = SINK_TIMEOUT_NS,
                                   .size = SINK_SIZE,
                                   .severity = severity.len ? severity_by_name(severity) : SEVERITY_LOW };
    if (timeout.len)
        (void)parse_duration(timeout.data, &ret->timeout_ns, NULL); /* they were checked */
    if (size.len)
        ret->size = 0;
    if (size.len && !bytes_equal_str(size, "off"))
        (void)parse_size(size.data, &ret->size, NULL);
    return ret->name.data ? 0 : -ENOMEM;
}

/* Of several that are apart the second is NAME:2, which no sink's name can be. */
static int name_place(struct alert_sinks *s, struct bytes spools, size_t number, struct sink_settings *settings)
{
    _cleanup_sbuf_ struct sbuf name = SBUF_INIT;

    sbuf_add_bytes(&name, settings->name);
    if (number)
        sbuf_addf(&name, ":%zu", number + 1);
    if (sbuf_error(&name) < 0)
        return -ENOMEM;
    settings->name = arena_copy(&s->arena, sbuf_bytes(&name));
    settings->spool = arena_join_path(&s->arena, spools, settings->name).data;
    return settings->name.data && settings->spool ? 0 : -ENOMEM;
}

static struct alert_sink *add_one(struct alert_sinks *s)
{
    if (s->count == s->size) {
        struct alert_sink *grown = reallocarray(s->sinks, s->size + 8, sizeof(*grown));

        if (!grown)
            return NULL;
        s->sinks = grown;
        s->size += 8;
    }
    s->sinks[s->count] = (struct alert_sink){ .socket = -EBADF };
    return &s->sinks[s->count];
}

static int start_place(struct alert_sinks *s, const struct sink_settings *settings)
{
    struct alert_sink *one = add_one(s);
    struct err err = ERR_INIT;
    int r;

    if (!one)
        return -ENOMEM;
    one->settings = *settings;
    r = sink_start(&one->settings, &one->socket, &err);
    if (r < 0) {
        log_warn(s->options.log, "%s; going on without it", err_text(&err, r));
        return 0;
    }
    s->count++;
    return 0;
}

static int start_one(struct alert_sinks *s, const struct config_block *block, struct bytes spools)
{
    struct sink_settings settings;
    int r = read_settings(s, block, &settings);
    size_t places = r == 0 && settings.ops->apart ? settings.to_count : 1;

    for (size_t i = 0; r == 0 && i < places; i++) {
        struct sink_settings place = settings;

        if (settings.ops->apart) {
            place.to = &settings.to[i];
            place.to_count = 1;
        }
        r = name_place(s, spools, i, &place);
        if (r == 0)
            r = start_place(s, &place);
    }
    return r;
}

static int start_type(struct alert_sinks *s, const char *name, struct bytes spools)
{
    struct bytes type = bytes_of(name);
    struct config_block block = { .name = type, .values = { [CONFIG_SINK_TYPE] = { .items = &type, .count = 1 } } };

    return start_one(s, &block, spools);
}

static int start_default(struct alert_sinks *s, struct bytes spools)
{
    struct stat st;
    int r = stat(JOURNAL, &st) == 0 && S_ISSOCK(st.st_mode) ? start_type(s, "journal", spools) : 0;

    return r == 0 ? start_type(s, "container", spools) : r;
}

int alert_sinks_start(const struct alert_sinks_options *options, const struct config *c, struct alert_sinks **ret)
{
    const struct config_blocks *blocks = &c->blocks[CONFIG_SINK];
    struct alert_sinks *s = calloc(1, sizeof(*s));
    struct bytes spools;
    int r = 0;

    if (!s)
        return -ENOMEM;
    s->options = *options;
    spools = arena_join_path(&s->arena, bytes_dirname(config_text(c, CONFIG_STORE)), bytes_of("alerts"));
    if (!spools.data)
        r = -ENOMEM;
    if (r == 0 && mkdir(bytes_dirname(spools).len ? spools.data : "", 0700) < 0 && errno == ENOENT) { /* before the store makes its directory */
        struct bytes above = arena_copy(&s->arena, bytes_dirname(spools));

        if (!above.data || mkdir(above.data, 0700) < 0 || mkdir(spools.data, 0700) < 0)
            log_warn(options->log, "alerts: %s cannot be made; what waits for a sink is not kept", spools.data);
    }
    for (size_t i = 0; r == 0 && i < blocks->count; i++)
        r = start_one(s, &blocks->items[i], spools);
    if (r == 0 && !blocks->count)
        r = start_default(s, spools);
    if (r < 0) {
        alert_sinks_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void alert_sinks_free(struct alert_sinks *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->count; i++) {
        struct alert_sink *one = &s->sinks[i];

        while (one->first) {
            struct queued *q = one->first;

            one->first = q->next;
            free(q);
        }
        close(one->socket);
    }
    free(s->sinks);
    arena_done(&s->arena);
    free(s);
}
