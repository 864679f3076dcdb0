# SPDX-License-Identifier: MIT
"""Tests that are functions marked with @test, one after the other."""
import shutil

tests = []


def test(f):
    tests.append(f)
    return f


def run_all(folder, most):
    """Every failure is reported, with at most so many characters, and the next one runs. `folder`: the tests' files, which
    are kept where something failed. Gives the exit status."""
    failed = 0
    for f in tests:
        try:
            f()
        except Exception as e:  # noqa: BLE001
            failed += 1
            print("FAILED %s: %s: %s" % (f.__name__, type(e).__name__, str(e)[:most]))
    if failed:
        print("the logs are kept in %s" % folder)
    else:
        shutil.rmtree(folder)
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return 1 if failed else 0
