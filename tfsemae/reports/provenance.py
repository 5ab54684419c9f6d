"""Which code, packages and machine a result came from."""

import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess

import tfsemae

_PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy")


def environment() -> tuple[dict[str, str | int], dict[str, str | int]]:
    """Versions of the packages and the machine, without importing the packages.

    Returns:
        `(versions, machine)`: `versions` of python, tfsemae and those of
        tensorflow, keras, numpy, scikit-learn and scipy that are installed;
        `machine` has `processor` (its name), `cores` (those this process may
        use), `oneDNN` (`on` or `off`, which changes the last bits) and, where the
        system tells it, `memory` (`8 GB`, of 10^9 bytes) and `instructions` (the
        widest vector instructions, `AVX-512` or `AVX2`).
    """
    versions: dict[str, str | int] = {
        "python": platform.python_version(),
        "tfsemae": tfsemae.__version__,
    }
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    machine = {"processor": _processor(), "cores": _cores(), "oneDNN": _onednn()}
    instructions = _instructions()
    if instructions:
        machine["instructions"] = instructions
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" in names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        machine["memory"] = f"{memory / 1e9:.0f} GB"
    return versions, machine


def revision() -> str:
    """Git revision of the checkout that this code runs from.

    Returns:
        The commit's 40 hexadecimal digits, with "+" behind them if anything in
        the checkout differs from it; "unknown" outside of a checkout (an
        installed package inside somebody else's checkout included).
    """
    here = pathlib.Path(__file__)
    try:
        # Only a checkout that tracks this file is the checkout of this code.
        _git(here.parent, "ls-files", "--error-unmatch", here.name)
        commit = _git(here.parent, "rev-parse", "HEAD")
        changes = _git(here.parent, "status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changes else "")


def _git(folder, *arguments):
    # Without the locks, looking never disturbs a commit that is under way.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return result.stdout.strip()


def _processor():
    found = re.search(r"^model name\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    if found:
        return found.group(1).strip()
    return platform.processor() or platform.machine()


def _instructions():
    flags = set(re.findall(r"\bavx\w*", _cpuinfo()))
    if "avx512f" in flags:
        return "AVX-512"
    return "AVX2" if "avx2" in flags else None


def _onednn():
    # Left to itself, TensorFlow turns it on where it finds AVX-512.
    default = "1" if _instructions() == "AVX-512" else "0"
    return "on" if os.environ.get("TF_ENABLE_ONEDNN_OPTS", default) == "1" else "off"


def _cpuinfo():
    try:
        return pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""


def _cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
