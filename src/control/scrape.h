/* SPDX-License-Identifier: MIT */
/*
 * One text over HTTP, for whoever collects metrics: GET /metrics on the loopback interface, an answer, and the connection ends. Whoever
 * is on this machine may ask. Nothing waits for a client: a few are served at once, each for some seconds at most. One thread.
 */
#pragma once

#include <netinet/in.h>

#include "util/err.h"
#include "util/sbuf.h"

struct scrape;

struct scrape_options {
    struct sockaddr_in address; /* util/loopback.h */
    void *data;
    void (*write)(void *data, struct sbuf *out); /* the text, as it is now */
};

/* -errno with the address: somebody else has it. */
int scrape_open(const struct scrape_options *options, struct scrape **ret, struct err *err);
void scrape_close(struct scrape *s); /* NULL is fine */
int scrape_fd(const struct scrape *s); /* readable when there is something to do */
unsigned scrape_port(const struct scrape *s); /* the one it has */
/* Takes what is there, answers, ends those that are too slow. Also to be called now and then where nothing is readable. */
void scrape_dispatch(struct scrape *s);
