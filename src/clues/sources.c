/* SPDX-License-Identifier: MIT */
/* The table of sources, in the order in which they are asked. */
#include "clues/engine_events.h"
#include "clues/engine_sharing.h"
#include "clues/image.h"
#include "clues/manifests.h"
#include "clues/original.h"
#include "clues/record.h"
#include "clues/source.h"

/* clang-format off */
const struct clue_source clue_sources[] = {
    { "record", "culprit's own record", NULL, CLUE_STAGE_STATE, CLUE_OF_RECORDS, 100, NULL, record_ask, false },
    { "audit", "the audit logs (who --from)", "what all users did, as far as rules had it", CLUE_STAGE_STATE, CLUE_OF_RECORDS, 100, NULL, record_ask_audit, false },
    { "image", "the container's image", NULL, CLUE_STAGE_STATE, CLUE_OF_CONTAINERS, 3000, NULL, image_ask, false, true },
    { "mounts", "mounts, what lies under them, and fstab", NULL, CLUE_STAGE_STATE, CLUE_OF_FILES, 1000, &clue_job_mounts, NULL, false },
    { "mountns", "the mount namespaces of others", NULL, CLUE_STAGE_STATE, CLUE_OF_FILES, 600, &clue_job_namespaces, NULL, false },
    { "open", "files that processes hold open", "names of files that any process holds open", CLUE_STAGE_STATE, CLUE_OF_FILES, 1200,
      &clue_job_open, NULL, false },
    { "packages", "the files and checksums of dpkg's packages", NULL, CLUE_STAGE_STATE, CLUE_OF_ORIGINALS, 2500, NULL, original_ask_packages, false },
    { "rpm", "the files and checksums of rpm's packages", NULL, CLUE_STAGE_STATE, CLUE_OF_ORIGINALS, 2500, NULL, original_ask_rpm, false },
    { "git", "git's index", NULL, CLUE_STAGE_STATE, CLUE_OF_ORIGINALS, 1500, NULL, original_ask_git, false },
    { "locate", "the database of locate", "names of files of all users", CLUE_STAGE_STATE, CLUE_OF_ORIGINALS, 2500, NULL, original_ask_locate, false },
    { "copies", "snapshots and backups", NULL, CLUE_STAGE_STATE, CLUE_OF_ORIGINALS, 500, &clue_job_copies, NULL, false },
    { "beside", "names beside it", NULL, CLUE_STAGE_STATE, CLUE_OF_FILES, 500, &clue_job_beside, NULL, false },
    { "trash", "the trashes of users", "what users put into their trash", CLUE_STAGE_STATE, CLUE_OF_FILES, 500, &clue_job_trash, NULL, false },
    { "times", "the times of the files and of their directories", NULL, CLUE_STAGE_TIME, CLUE_OF_FILES, 1500, &clue_job_directory, NULL, false },
    { "links", "the links on the way to it", NULL, CLUE_STAGE_TIME, CLUE_OF_FILES, 300, &clue_job_links, NULL, false },
    { "engine", "when the container was made and started", NULL, CLUE_STAGE_THEN, CLUE_OF_CONTAINERS, 500, NULL, image_ask_life, false },
    { "events", "what its engine remembers of the container", "commands that anybody ran in it", CLUE_STAGE_THEN, CLUE_OF_CONTAINERS, 1500, NULL, engine_events_ask, false },
    { "sharing", "containers that have it among their mounts", "commands that anybody ran in them", CLUE_STAGE_THEN, CLUE_OF_CONTAINERS, 1500, NULL,
      engine_sharing_ask, false },
    { "inodes", "the inodes of deleted files (ext4)", NULL, CLUE_STAGE_THEN, CLUE_OF_FILES, 2000, &clue_job_deleted, NULL, false },
    { "journal", "the systemd journal around the moment", "messages of all users and services", CLUE_STAGE_THEN, CLUE_OF_LOGS, 2500,
      &clue_job_journal, NULL, false },
    { "syslog", "the files that syslog writes", "messages of all users and services", CLUE_STAGE_THEN, CLUE_OF_LOGS, 1500,
      &clue_job_syslog, NULL, false },
    { "dpkg", "the logs of dpkg and apt", "who asked for which packages", CLUE_STAGE_THEN, CLUE_OF_LOGS, 1000, &clue_job_dpkg_log, NULL, false },
    { "rpmlog", "the logs of dnf, yum and zypper", "who asked for which packages", CLUE_STAGE_THEN, CLUE_OF_LOGS, 800, &clue_job_rpm_log, NULL, false },
    { "reflog", "git's log of its work tree", "who worked there with git", CLUE_STAGE_THEN, CLUE_OF_LOGS, 400, &clue_job_reflog, NULL, false },
    { "logins", "the record of logins", "who was logged in, and from where", CLUE_STAGE_THEN, CLUE_OF_PEOPLE, 800, &clue_job_logins, NULL, false },
    { "refused", "the record of refused logins", "who tried to log in, and from where", CLUE_STAGE_THEN, CLUE_OF_PEOPLE, 800, &clue_job_refused, NULL, false },
    { "lastlog", "the last login of each user (lastlog, lastlog2, wtmpdb)", "who was logged in, and from where", CLUE_STAGE_THEN, CLUE_OF_PEOPLE, 800, &clue_job_last_logins, NULL, false },
    { "acct", "process accounting", "what all users ran", CLUE_STAGE_THEN, CLUE_OF_LOGS, 800, &clue_job_accounting, NULL, false },
    { "history", "the histories of shells", "what users typed", CLUE_STAGE_THEN, CLUE_OF_PEOPLE, 800, &clue_job_histories, NULL, true },
    { "process", "the processes that are there", "command lines of all users", CLUE_STAGE_THEN, CLUE_OF_PROGRAMS, 1000,
      &clue_job_processes, NULL, false },
    { "cron", "the tables of cron", "the crontabs of all users", CLUE_STAGE_THEN, CLUE_OF_PROGRAMS, 800, &clue_job_cron, NULL, false },
    { "at", "the jobs of at, and when the last one ran", "the jobs of all users", CLUE_STAGE_THEN, CLUE_OF_PROGRAMS, 400, &clue_job_at, NULL, false },
    { "units", "systemd's units and timers", NULL, CLUE_STAGE_THEN, CLUE_OF_PROGRAMS, 1000, &clue_job_units, NULL, false },
    { "tmpfiles", "the rules of systemd-tmpfiles", NULL, CLUE_STAGE_THEN, CLUE_OF_PROGRAMS, 500, &clue_job_tmpfiles, NULL, false },
    { "logrotate", "logrotate's configuration and record", NULL, CLUE_STAGE_THEN, CLUE_OF_PROGRAMS, 500, &clue_job_logrotate, NULL, false },
    { "ci", "runners of continuous integration that clean their working directories", NULL, CLUE_STAGE_THEN, CLUE_OF_PROGRAMS, 500, &clue_job_ci, NULL, false },
    { "manifests", "manifests of Compose and Kubernetes", NULL, CLUE_STAGE_THEN, CLUE_OF_CONTAINERS, 500, NULL, manifests_ask, false },
    { "triggers", "the triggers of dpkg", NULL, CLUE_STAGE_THEN, CLUE_OF_PROGRAMS, 400, &clue_job_dpkg_triggers, NULL, false },
    { "scripts", "the scripts that those name", NULL, CLUE_STAGE_SCRIPTS, CLUE_OF_PROGRAMS, 800, &clue_job_scripts, NULL, false },
    { "access", "who may write there", "who may become root", CLUE_STAGE_ACCESS, CLUE_OF_PEOPLE, 800, &clue_job_access, NULL, false },
};
/* clang-format on */
const unsigned clue_source_count = ARRAY_SIZE(clue_sources);
