# SPDX-License-Identifier: MIT
"""culprit's JSON lines as changes."""
import json
import os
from collections import Counter

from change import FOUND, MADE, ONE_OF_NAMES, ONE_OF_PROCESSES, Reported


def exact(text, raw):
    return bytes.fromhex(raw) if raw else None if text is None else os.fsencode(text)


def raw_of(line):
    raw = line.get('culprit', {}).get('raw', {}) or {}
    return raw.get('file.path') or raw.get('path') or (raw.get('file') or {}).get('path')


def action(line):
    """Its name; of a thing that nobody saw, and whose kind is said not to be known, only that it was made."""
    note, name = line.get('culprit', {}).get('note') or '', line['event']['action']
    if name == 'create' and note.startswith('gone before it could be looked at'):
        return MADE
    if note.startswith('found in a new folder'):
        return FOUND
    return name + (ONE_OF_NAMES if note.startswith("one of the file's names") else '')


def read(path, inside):
    """(what was reported to have been done, gaps, the verdict)"""
    reported, gaps, verdict = Counter(), [], ''
    for text in open(path, 'rb'):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        kind = line.get('event', {}).get('kind')
        if kind == 'pipeline_error':
            gaps.append(line.get('culprit', {}).get('gap'))
        elif kind != 'event':
            verdict = verdict or line.get('message') or ''
        elif line['event']['outcome'] in ('success', 'failure'):
            at = exact(line.get('file', {}).get('path'), raw_of(line))
            previous = exact(line.get('culprit', {}).get('file', {}).get('previous_path'), None)
            note = line.get('culprit', {}).get('note') or ''
            pid = None if note.startswith(ONE_OF_PROCESSES) else line.get('process', {}).get('pid')
            reported[Reported(action(line), at if inside(at) else None, pid,
                      previous if inside(previous) else None, (line.get('error') or {}).get('code'))] += 1
    return reported, gaps, verdict
