/* SPDX-License-Identifier: MIT */
/* The columns of an event: X(column, member of struct event, type). What is new comes last (store/delta.h). */
#pragma once

#include "event/event.h"

/* clang-format off */
#define EVENT_FIELDS(X) \
    X(id, id, FIELD_ID) \
    X(sequence, sequence, FIELD_U64) \
    X(time_ns, time_ns, FIELD_U64) \
    X(boot_ns, boot_ns, FIELD_U64) \
    X(operation, operation, FIELD_I32) \
    X(error, error, FIELD_I32) \
    X(sensors, sensors, FIELD_U32) \
    X(route, route, FIELD_I32) \
    X(syscall_arch, syscall_arch, FIELD_U32) \
    X(syscall, syscall, FIELD_I32) \
    X(actor_pid, actor.pid, FIELD_I32) \
    X(actor_tid, actor.tid, FIELD_I32) \
    X(actor_parent_pid, actor.parent_pid, FIELD_I32) \
    X(actor_start_ns, actor.start_ns, FIELD_U64) \
    X(cred_known, actor.cred.known, FIELD_BOOL) \
    X(uid, actor.cred.uid, FIELD_U32) \
    X(euid, actor.cred.euid, FIELD_U32) \
    X(suid, actor.cred.suid, FIELD_U32) \
    X(fsuid, actor.cred.fsuid, FIELD_U32) \
    X(gid, actor.cred.gid, FIELD_U32) \
    X(egid, actor.cred.egid, FIELD_U32) \
    X(sgid, actor.cred.sgid, FIELD_U32) \
    X(fsgid, actor.cred.fsgid, FIELD_U32) \
    X(login_uid, actor.login_uid, FIELD_U32) \
    X(session, actor.session, FIELD_U32) \
    X(executable, actor.executable, FIELD_BYTES) \
    X(comm, actor.name, FIELD_BYTES) \
    X(args, actor.args, FIELD_BYTES) \
    X(working_directory, actor.working_directory, FIELD_BYTES) \
    X(tty, actor.tty, FIELD_BYTES) \
    X(script, actor.script, FIELD_BYTES) \
    X(target_path, target_path, FIELD_BYTES) \
    X(file, file, FIELD_STATE) \
    X(file_owner, file.owner, FIELD_BYTES) \
    X(file_group, file.group, FIELD_BYTES) \
    X(before, before, FIELD_STATE) \
    X(before_owner, before.owner, FIELD_BYTES) \
    X(before_group, before.group, FIELD_BYTES) \
    X(after, after, FIELD_STATE) \
    X(after_owner, after.owner, FIELD_BYTES) \
    X(after_group, after.group, FIELD_BYTES) \
    X(xattr, xattr, FIELD_BYTES) \
    X(bytes, bytes, FIELD_U64) \
    X(bytes_known, bytes_known, FIELD_BOOL) \
    X(watch, watch_text, FIELD_BYTES) \
    X(key, key, FIELD_BYTES) \
    X(victim_kind, victim_kind, FIELD_I32) \
    X(sharers, sharers, FIELD_BYTES) \
    X(since_start_known, since_start_known, FIELD_BOOL) \
    X(since_start_ns, since_start_ns, FIELD_I64) \
    X(note, note, FIELD_BYTES) \
    X(elsewhere, elsewhere, FIELD_BOOL) \
    X(node, node, FIELD_BYTES) \
    X(actor_presumed, actor_presumed, FIELD_BOOL) \
    X(operation_presumed, operation_presumed, FIELD_BOOL)
/* clang-format on */
