# SPDX-License-Identifier: MIT
"""Folders on the file systems that are asked for; in a mount namespace of our own, which run.sh made."""
import os
import shutil
import subprocess

SIZE = 600 << 20
MAKE = {'ext4': ['mkfs.ext4', '-q', '-F'], 'xfs': ['mkfs.xfs', '-q'], 'btrfs': ['mkfs.btrfs', '-q']}


def quiet(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def mounted_overlay(kind, point):
    return quiet('mount', '-t', 'overlay', 'oracle', '-o', 'lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work'.format(
        os.path.join(os.path.dirname(point), kind)), point)


def prepared(kind, point):
    """What is there by now comes from below: it lies in the lower layer, and the upper one is empty. Only of `lower`."""
    if kind != 'lower':
        return
    layers = os.path.join(os.path.dirname(point), kind)
    subprocess.run(['cp', '-a', point, layers + '/all'], check=True)
    subprocess.run(['umount', point], check=True)
    for name in ('lower', 'upper', 'work'):
        shutil.rmtree(f'{layers}/{name}')
    os.rename(layers + '/all', layers + '/lower')
    for name in ('upper', 'work'):
        os.mkdir(f'{layers}/{name}')
        os.chmod(f'{layers}/{name}', 0o777)
    if not mounted_overlay(kind, point):
        raise OSError('the overlay was not to be mounted again')


def place(kind, top):
    """A folder on such a file system, None if it is not to be had here. lower: an overlay whose lower layer has what is prepared."""
    point = os.path.join(top, 'on-' + kind)
    os.makedirs(point)
    if kind == 'host':
        return point
    if kind == 'tmpfs':
        return point if quiet('mount', '-t', 'tmpfs', 'oracle', point) else None
    if kind in ('overlay', 'lower'):
        for name in ('lower', 'upper', 'work'):
            os.makedirs(f'{top}/{kind}/{name}')
        return point if mounted_overlay(kind, point) else None
    image = f'{top}/{kind}.img'
    with open(image, 'wb') as f:
        f.truncate(SIZE)
    return point if quiet(*MAKE[kind], image) and quiet('mount', '-o', 'loop', image, point) else None


def leave(point, kind):
    if kind != 'host':
        quiet('umount', point)
