/* SPDX-License-Identifier: MIT */
#include "control/interface.h"

#include "control/reply.h"
#include "util/macro.h"

static const char own[] =
    "# The daemon of culprit(1). Status, Watches, Metrics, Explain, Watch and Ask: root and members of the group culprit; all else: root.\n"
    "interface org.culprit\n"
    "\n"
    "# What is asked for. permissions: letters of r, w, x, a; left out: wa\n"
    "type Target (target: string, permissions: ?string, key: ?string)\n"
    "\n"
    "# armed: everything that is there is watched; why: what is missing, in words; guard: whether changes are refused. viewers: of those that somebody asked for\n"
    "type Watched (target: string, permissions: string, key: ?string, source: (configuration, added, viewer, label),\n"
    "  armed: bool, why: ?string, guard: ?string, users: int)\n"
    "\n"
    "method Status() -> (status: object)\n"
    "method Watches() -> (watches: []Watched)\n"
    "# Watched until it is removed or the daemon ends; a reload leaves it. Added twice it has to be removed twice.\n"
    "method Add(target: string, permissions: ?string, key: ?string) -> (users: int)\n"
    "method Remove(target: string) -> (users: int)\n"
    "# The configuration anew. Replies when it is in force.\n"
    "method Reload() -> (added: int, ended: int, kept: int)\n"
    "# Replies when all that happened before is in the record.\n"
    "method Flush() -> ()\n"
    "# Prometheus' text format.\n"
    "method Metrics() -> (text: string)\n"
    "# Why an event was an alert or was none. event: its id, or at least the first eight digits of it\n"
    "method Explain(event: string) -> (explanation: object)\n"
    "# No alerts for a time, of a target (a host path as events have it: without links) or of an open alert's matter; what is silenced is\n"
    "# recorded and counted. Ended by its number.\n"
    "method Silence(target: ?string, alert: ?string, seconds: int, reason: string) -> (silence: int, until: string)\n"
    "method EndSilence(silence: int) -> (events: int)\n"
    "# A marked test through one sink, or all of them. Replies when each has answered, or did not in time.\n"
    "type Tested (name: string, type: string, arrived: bool, ms: int, why: ?string, waiting: ?int)\n"
    "method TestAlert(sink: ?string) -> (sinks: []Tested)\n"
    "# With more: a reply once all of it is watched (ready), then for events, gaps, and what has changed. An event is an object in\n"
    "# ECS's terms, or with records in the daemon's own (for a culprit of the same version). Who shuts down his side for\n"
    "# writing gets what happened before that, and the end. What is not read in time is a gap.\n"
    "method Watch(targets: []Target, records: ?bool, version: ?string) ->\n"
    "  (ready: ?object, event: ?object, gap: ?object, records: ?string, notice: ?string, end: ?bool)\n"
    "\n"
    "# With more: what who, search or diff print of the record (store: which one is meant), as bytes in base64, then their exit status.\n"
    "# arguments: of the command line, options that read nothing but the record; what else is looked at is seen as the asker may see it.\n"
    "# directory: where the asker is; environment: NAME=value for zone and language; columns, colour: of the asker's terminal\n"
    "method Ask(verb: (who, search, diff), arguments: []string, store: string, directory: string, environment: ?[]string,\n"
    "  columns: ?int, colour: ?bool) -> (output: ?string, errors: ?string, status: ?int)\n"
    "\n"
    "error NotPermitted (message: string)\n"
    "error NotWatched (message: string)\n"
    "error ConfigurationBroken (message: string, problems: []string)\n"
    "error NotRemembered (message: string)\n"
    "error NotFound (message: string)\n"
    "error Failed (message: string)\n"
    "error Busy (message: string)\n"
    "error BadMessage (message: string)\n";

static const char service[] =
    "interface org.varlink.service\n"
    "\n"
    "method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n"
    "\n"
    "error InterfaceNotFound (interface: string)\n"
    "error MethodNotFound (method: string)\n"
    "error MethodNotImplemented (method: string)\n"
    "error InvalidParameter (parameter: string)\n"
    "error PermissionDenied ()\n"
    "error ExpectedMore ()\n";

struct bytes control_interface(struct bytes name)
{
    if (bytes_equal_str(name, CONTROL_INTERFACE))
        return (struct bytes){ own, sizeof(own) - 1 };
    if (bytes_equal_str(name, CONTROL_SERVICE))
        return (struct bytes){ service, sizeof(service) - 1 };
    return BYTES_NULL;
}
