# SPDX-License-Identifier: MIT
"""culprit's JSON lines as changes."""
import json
import os
from collections import Counter

from change import MADE, Told


def exact(text, raw):
    return bytes.fromhex(raw) if raw else None if text is None else os.fsencode(text)


def raw_of(line):
    raw = line.get('culprit', {}).get('raw', {}) or {}
    return raw.get('file.path') or raw.get('path') or (raw.get('file') or {}).get('path')


def action(line):
    """Its name; of a thing that nobody saw, and whose kind is said not to be known, only that it was made."""
    note = line.get('culprit', {}).get('note') or ''
    return MADE if line['event']['action'] == 'create' and note.startswith('gone before it could be looked at') else line['event']['action']


def read(path, inside):
    """(what was told to have been done, gaps, the verdict)"""
    told, gaps, verdict = Counter(), [], ''
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
        elif line['event']['outcome'] == 'success':
            at = exact(line.get('file', {}).get('path'), raw_of(line))
            previous = exact(line.get('culprit', {}).get('file', {}).get('previous_path'), None)
            told[Told(action(line), at if inside(at) else None, line.get('process', {}).get('pid'),
                      previous if inside(previous) else None)] += 1
    return told, gaps, verdict
