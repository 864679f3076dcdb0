/* SPDX-License-Identifier: MIT */
/*
 * Records of the kernel beside those of a system call and its paths. Each fills r->items with what r->q asks for, as views into the record or
 * into the items' own text, and reads nothing else; p is where to begin, behind the record's time. Each returns false where ausearch finds
 * the record malformed: what was filled until then stays. Out of memory is r->items->failed.
 */
#pragma once

#include "search/items_state.h"

/* AVC_PATH; and the path of a CONFIG_CHANGE, which older ones do not have. */
bool read_avc_path(struct record_reading *r, struct record_place p);
/* IPC, OBJ_PID: the SELinux context of the object. */
bool read_object_only(struct record_reading *r, struct record_place p);
/* NETFILTER_PKT: the source address, as it is written, and the context. */
bool read_packet(struct record_reading *r, struct record_place p);
/* SOCKADDR: a struct sockaddr in hexadecimal: a host and port, or the path of a socket. */
bool read_socket(struct record_reading *r, struct record_place p);
/* INTEGRITY_DATA ... INTEGRITY_RULE: of IMA and EVM. */
bool read_integrity(struct record_reading *r, struct record_place p);
/* AVC, USER_AVC: a decision of SELinux, with its subject and object. */
bool read_avc(struct record_reading *r, struct record_place p);
/* ANOM_ABEND, ANOM_PROMISCUOUS, SECCOMP. */
bool read_anomaly(struct record_reading *r, struct record_place p);
/* CONFIG_CHANGE, and MAC_POLICY_LOAD ... MAC_UNLBL_STCDEL: of most only the login user is of interest. */
bool read_simple(struct record_reading *r, struct record_place p);
/* TTY: what somebody typed. */
bool read_tty(struct record_reading *r, struct record_place p);
/* NETFILTER_CFG, EVENT_LISTENER: what an earlier record of the event has given stays. */
bool read_kernel(struct record_reading *r, struct record_place p);
