/* SPDX-License-Identifier: MIT */
/*
 * What can be seen of an Ansible task: the playbook or the module's arguments on the command line, and what the module executed.
 * A task's name is in no command line, environment or file name: Ansible keeps it to itself. Pure.
 */
#pragma once

#include "cause/chain.h"

/* p: ansible, ansible-playbook or ansible-pull. The playbook where it is one, or the arguments that `ansible -a` gives to its
 * module; BYTES_NULL: neither, or several playbooks, one of which it is. */
struct bytes ansible_task(const struct process *p);
/* What the module `command` at c->process[at] was to execute: a shell's text, or arguments that each end in a NUL. BYTES_NULL:
 * it is another module, or changed something itself. */
struct bytes ansible_command(const struct chain *c, unsigned at);
