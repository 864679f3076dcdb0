# SPDX-License-Identifier: MIT
"""systemd's journald, for tests that need a real one."""
import os

PROGRAM = next((path for path in ("/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd-journald") if os.path.exists(path)), None)
# As it starts it switches the kernel's audit off, or on, under whoever uses it meanwhile: it may not. (Which setting leaves audit as it
# is differs from version to version.)
COMMAND = ["setpriv", "--bounding-set=-audit_control,-audit_read", str(PROGRAM)]
