"""Prepares a data set with TFDS, from original archives or by download."""

import contextlib
import http.client
import pathlib
import sys
import tempfile
import urllib.request

import tensorflow_datasets as tfds

from tfsemae import files

_TIMEOUT = 20  # seconds; TFDS itself keeps on trying for minutes


def prepare(
    builder: tfds.core.DatasetBuilder, manual_dir: files.PathLike | None
) -> None:
    """Prepares a data set; its folder appears complete or not at all.

    Args:
        builder: of a data set that is not prepared.
        manual_dir: folder that holds original archives in a folder called
            `builder.name`, under their original file names; `~` is expanded.
            Their SHA-256 is checked against the one that TFDS registers. Missing
            archives are downloaded.

    Raises:
        ValueError: if an archive is not the original one, if it is neither there
            nor can be downloaded, if the folder of data sets cannot be written,
            or if TFDS fails.
    """
    folder = files.path(manual_dir) / builder.name if manual_dir else None
    for url, info in builder.url_infos.items():
        if folder and (folder / info.filename).is_file():
            _check_archive(folder / info.filename, info.checksum)
            continue
        try:
            _check_reachable(url)
        except (OSError, http.client.HTTPException) as error:
            raise ValueError(_ways(builder, folder, url, error)) from error
    try:
        _prepare(builder, folder)
    except _NotWritable as error:
        raise ValueError(
            f"TFDS cannot prepare {builder.name} in {builder.data_dir_root}: it cannot "
            f"be written ({error}). Name another folder by --data_dir or TFDS_DATA_DIR."
        ) from error
    except Exception as error:  # TFDS raises what its parts raise
        if builder.data_path.exists():  # another process was first
            return
        reason = " ".join(str(error).split())
        raise ValueError(
            f"TFDS cannot prepare {builder.name} in {builder.data_dir_root}: {reason}"
        ) from error


def _check_archive(path: pathlib.Path, checksum: str) -> None:
    found = files.sha256(path)
    if found != checksum:
        raise ValueError(
            f"{path} is truncated or not the original archive: expected the "
            f"SHA-256 {checksum}. Received: {found}."
        )


def _check_reachable(url: str) -> None:
    # As TFDS asks for it, except for the time limit; the body is not read.
    with urllib.request.urlopen(url, timeout=_TIMEOUT):
        pass


def _prepare(builder: tfds.core.DatasetBuilder, folder: pathlib.Path | None) -> None:
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    # A separate folder: TFDS takes an unpacked archive of the same name for its
    # own, and MNIST's and Fashion-MNIST's archives have the same names.
    with (
        _scratch(files.path(builder.data_dir_root)) as scratch,
        contextlib.redirect_stdout(sys.stderr),
    ):
        builder.download_and_prepare(
            download_dir=scratch,
            download_config=tfds.download.DownloadConfig(
                manual_dir=folder,
                try_download_gcs=False,
                force_checksums_validation=True,
            ),
        )


class _NotWritable(Exception):
    pass


def _scratch(root: pathlib.Path) -> tempfile.TemporaryDirectory:
    try:
        root.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=".preparing-", dir=root)
    except OSError as error:
        raise _NotWritable(error.strerror) from error


def _ways(
    builder: tfds.core.DatasetBuilder,
    folder: pathlib.Path | None,
    url: str,
    error: Exception,
) -> str:
    name = builder.name
    archives = ", ".join(info.filename for info in builder.url_infos.values())
    searched = f"{builder.data_dir_root}" + (f" and {folder}" if folder else "")
    return (
        f"{name} is not prepared and cannot be downloaded (searched {searched}; "
        f"{url}: {error}). Give a folder where it is prepared as --data_dir or "
        f"TFDS_DATA_DIR, or its original archives ({archives}) in "
        f"<manual_dir>/{name}/ as --manual_dir, or a network connection; or use "
        "--dataset=digits, which needs none of these."
    )
