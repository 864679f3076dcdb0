/* SPDX-License-Identifier: MIT */
#include "daemon/metrics.h"

#include <errno.h>
#include <stdlib.h>

#include "control/scrape.h"
#include "util/loopback.h"

struct metrics {
    struct metrics_options options;
    struct scrape *scrape;
};

static void on_write(void *data, struct sbuf *out)
{
    const struct metrics *m = data;
    struct status_view view;

    m->options.view(m->options.data, &view);
    status_write_metrics(&view, out);
}

static void on_ready(void *data, int fd)
{
    (void)fd;
    metrics_idle(data);
}

int metrics_start(const struct metrics_options *options, struct metrics **ret, struct err *err)
{
    struct metrics *m = calloc(1, sizeof(*m));
    struct scrape_options scrape = { .data = m, .write = on_write };
    int r;

    if (!m)
        return err_set(err, -ENOMEM, "metrics");
    m->options = *options;
    r = loopback_parse(options->address, &scrape.address, err);
    if (r == 0)
        r = scrape_open(&scrape, &m->scrape, err);
    if (r == 0)
        r = pipeline_watch_fd(options->pipeline, scrape_fd(m->scrape), on_ready, m, err);
    if (r < 0) {
        metrics_end(m);
        return r;
    }
    *ret = m;
    return 0;
}

unsigned metrics_port(const struct metrics *m)
{
    return scrape_port(m->scrape);
}

void metrics_idle(struct metrics *m)
{
    if (m)
        scrape_dispatch(m->scrape);
}

void metrics_end(struct metrics *m)
{
    if (!m)
        return;
    scrape_close(m->scrape);
    free(m);
}
