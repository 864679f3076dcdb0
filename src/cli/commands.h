/* SPDX-License-Identifier: MIT */
/* What runs for each verb. argv[0] is the verb; the exit status is returned. */
#pragma once

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
int cmd_ctl(int argc, char **argv);
int cmd_prune(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_completion(int argc, char **argv);
