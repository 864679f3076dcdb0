/* SPDX-License-Identifier: MIT */
/* `culprit doctor --containers`: what a shell can complete before ":/". */
#pragma once

/* Prints each container, compose service and pod once, in order of bytes. Engines that do not answer at once are left out. Returns the
 * exit status. */
int doctor_containers(void);
