/* SPDX-License-Identifier: MIT */
/*
 * What runs for each verb: called once by main(), in a process with one thread, which it may use as its own (signals, working directory,
 * getopt's state). argv[0] is the verb, argv[argc] is NULL, and both outlive the call; getopt may change their order. Prints what there is
 * to say, errors on stderr, and returns the exit status: one of cli/cli.h's, or that of the command that `run` started.
 */
#pragma once

struct given_store; /* cli/by_daemon.h */
/* The same, from a store that is open already; borrowed, and not closed. */
int who_given(const struct given_store *given, int argc, char **argv);
int search_given(const struct given_store *given, int argc, char **argv);
int diff_given(const struct given_store *given, int argc, char **argv);

/* The verbs, each as said above. */
int cmd_watch(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_who(int argc, char **argv);
int cmd_search(int argc, char **argv);
int cmd_clues(int argc, char **argv);
int cmd_guard(int argc, char **argv);
/* A guard whose keeper was killed, or whose machine went down, ends with whatever is asked next; said on stderr. */
void cli_take_back_guards(void);
int cmd_restore(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_daemon(int argc, char **argv);
int cmd_alert(int argc, char **argv);
int cmd_expect(int argc, char **argv);
int cmd_ctl(int argc, char **argv);
int cmd_silence(int argc, char **argv); /* ctl silence */
int cmd_prune(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_completion(int argc, char **argv);
