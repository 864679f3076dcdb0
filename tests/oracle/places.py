# SPDX-License-Identifier: MIT
"""Folders on the file systems that are asked for; in a mount namespace of our own, which run.sh made."""
import os
import subprocess

SIZE = 600 << 20
MAKE = {'ext4': ['mkfs.ext4', '-q', '-F'], 'xfs': ['mkfs.xfs', '-q'], 'btrfs': ['mkfs.btrfs', '-q']}


def quiet(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def place(kind, top):
    """A folder on such a file system, None if it is not to be had here."""
    point = os.path.join(top, 'on-' + kind)
    os.makedirs(point)
    if kind == 'host':
        return point
    if kind == 'tmpfs':
        return point if quiet('mount', '-t', 'tmpfs', 'oracle', point) else None
    if kind == 'overlay':
        for name in ('lower', 'upper', 'work'):
            os.makedirs(f'{top}/overlay/{name}')
        return point if quiet('mount', '-t', 'overlay', 'oracle', '-o', 'lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work'.format(
            top + '/overlay'), point) else None
    image = f'{top}/{kind}.img'
    with open(image, 'wb') as f:
        f.truncate(SIZE)
    return point if quiet(*MAKE[kind], image) and quiet('mount', '-o', 'loop', image, point) else None


def leave(point, kind):
    if kind != 'host':
        quiet('umount', point)
