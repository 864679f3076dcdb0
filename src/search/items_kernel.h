/* SPDX-License-Identifier: MIT */
/*
 * Records of the kernel beside those of a system call and its paths. Each returns false where ausearch finds the record
 * malformed.
 */
#pragma once

#include "search/items_state.h"

bool read_avc_path(struct record_reading *r, struct record_place p);
bool read_object_only(struct record_reading *r, struct record_place p);
bool read_packet(struct record_reading *r, struct record_place p);
bool read_socket(struct record_reading *r, struct record_place p);
bool read_integrity(struct record_reading *r, struct record_place p);
bool read_avc(struct record_reading *r, struct record_place p);
bool read_anomaly(struct record_reading *r, struct record_place p);
bool read_simple(struct record_reading *r, struct record_place p);
bool read_tty(struct record_reading *r, struct record_place p);
bool read_kernel(struct record_reading *r, struct record_place p);
