#!/usr/bin/env python3
"""Runs the process tests (test_*.py beside this file) on the release build.

  run_all.py [--tier full|night] [name…]     names as for unittest: test_claims, test_claims.ClaimRace
"""

import argparse
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tier", default="full")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    os.environ["CONTEXTCORE_TEST_TIER"] = arguments.tier
    sys.path.insert(0, str(HERE))
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(arguments.names) if arguments.names else loader.discover(str(HERE))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if result.testsRun == 0:
        print("no test was found")
        return 1
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
