/* SPDX-License-Identifier: MIT */
#include "cli/guard_confirm.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "guard/holder.h"
#include "util/cleanup.h"
#include "util/clock.h"

static sigset_t the_signal(void)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, GUARD_SIGNAL_CONFIRM);
    return mask;
}

void guard_confirm_block(void)
{
    sigset_t mask = the_signal();

    (void)sigprocmask(SIG_BLOCK, &mask, NULL);
}

static int wait_also_for(struct guard_confirm *c, int fd)
{
    return epoll_ctl(c->wait_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN }) < 0 ? -errno : 0;
}

int guard_confirm_open(struct guard_confirm *c)
{
    sigset_t mask = the_signal();

    c->wait_fd = epoll_create1(EPOLL_CLOEXEC);
    c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    c->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (c->wait_fd < 0 || c->timer_fd < 0 || c->signal_fd < 0)
        return -errno;
    c->terminal = isatty(STDIN_FILENO) && wait_also_for(c, STDIN_FILENO) == 0;
    return wait_also_for(c, c->timer_fd) < 0 || wait_also_for(c, c->signal_fd) < 0 ? -errno : 0;
}

void guard_confirm_begin(struct guard_confirm *c)
{
    struct itimerspec at = { .it_value = { (time_t)(c->for_ns / NS_PER_S), (long)(c->for_ns % NS_PER_S) } };

    c->waiting = c->for_ns && timerfd_settime(c->timer_fd, 0, &at, NULL) == 0;
}

/* Nothing that is typed is read any more: it may be meant for the shell. */
static void leave_terminal(struct guard_confirm *c)
{
    if (c->terminal)
        (void)epoll_ctl(c->wait_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
    c->terminal = false;
}

/* In the background a read would stop us. */
static enum guard_word read_line(struct guard_confirm *c)
{
    char line[256];
    ssize_t n;

    if (tcgetpgrp(STDIN_FILENO) != getpgrp()) {
        leave_terminal(c);
        return GUARD_WORD_NONE;
    }
    n = read(STDIN_FILENO, line, sizeof(line));
    if (n <= 0) {
        leave_terminal(c);
        return GUARD_WORD_NONE;
    }
    if (line[0] == '\n' || line[0] == 'y' || line[0] == 'Y')
        return GUARD_WORD_CONFIRMED;
    return line[0] == 'n' || line[0] == 'N' ? GUARD_WORD_REFUSED : GUARD_WORD_NONE;
}

static enum guard_word find_word(struct guard_confirm *c)
{
    struct signalfd_siginfo info;
    struct epoll_event events[4];
    uint64_t expired;
    int n = epoll_wait(c->wait_fd, events, 4, 0);

    if (n <= 0)
        return GUARD_WORD_NONE;
    if (read(c->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        return GUARD_WORD_CONFIRMED;
    if (read(c->timer_fd, &expired, sizeof(expired)) == (ssize_t)sizeof(expired))
        return GUARD_WORD_LATE;
    return c->terminal ? read_line(c) : GUARD_WORD_NONE;
}

enum guard_word guard_confirm_look(struct guard_confirm *c)
{
    enum guard_word word = c->wait_fd < 0 ? GUARD_WORD_NONE : find_word(c);

    if (!c->waiting || word == GUARD_WORD_NONE)
        return GUARD_WORD_NONE;
    c->waiting = false;
    c->confirmed = word == GUARD_WORD_CONFIRMED;
    leave_terminal(c);
    (void)timerfd_settime(c->timer_fd, 0, &(struct itimerspec){ 0 }, NULL);
    return word;
}

void guard_confirm_done(struct guard_confirm *c)
{
    closep(&c->wait_fd);
    closep(&c->timer_fd);
    closep(&c->signal_fd);
    *c = GUARD_CONFIRM_NULL;
}
