"""Runs the test files that are named, for Bazel's `py_test`."""

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(["-n0", *sys.argv[1:]]))
