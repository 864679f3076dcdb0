/* SPDX-License-Identifier: MIT */
/*
 * What a PATH record is, where the record does not say: kernels before 3.8 (RHEL 6) write no nametype. Concluded from
 * the system call and the order of the records, which has not changed since (fs/namei.c: parents first, then what
 * is deleted, then what is created). Pure.
 */
#pragma once

#include "sensor/audit/facts.h"

/* Gives a type to every path of `facts` where none of them was typed by the record. */
void audit_infer_types(struct audit_facts *facts);
