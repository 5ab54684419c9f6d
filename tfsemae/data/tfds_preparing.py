"""Has TFDS prepare a data set, from original archives or by its own download."""

import contextlib
import hashlib
import http.client
import os
import pathlib
import sys
import tempfile
import urllib.request

import tensorflow_datasets as tfds

_TIMEOUT = 20  # seconds; TFDS itself keeps on trying for minutes


def prepare(
    builder: tfds.core.DatasetBuilder, manual_dir: str | os.PathLike[str] | None
) -> None:
    """Prepares a data set; it appears in its folder whole or not at all.

    Args:
        builder: of a data set that is not prepared.
        manual_dir: folder that holds original archives in a folder called
            `builder.name`, under their original file names. Their size and
            SHA-256 are those that TFDS registers. What is missing there is
            downloaded.

    Raises:
        ValueError: if an archive is not the original one, if it is neither at
            hand nor within reach, or if TFDS fails.
    """
    folder = None
    if manual_dir:
        folder = pathlib.Path(manual_dir).expanduser() / builder.name
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
    except Exception as error:  # TFDS raises what its parts raise
        if builder.data_path.exists():  # another process was first
            return
        reason = " ".join(str(error).split())
        raise ValueError(
            f"TFDS cannot prepare {builder.name} in {builder.data_dir_root}: {reason}"
        ) from error


def _check_archive(path: pathlib.Path, checksum: str) -> None:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
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
    root = pathlib.Path(builder.data_dir_root)
    root.mkdir(parents=True, exist_ok=True)
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    # A folder of its own: TFDS takes an unpacked archive of the same name for its
    # own, and MNIST's and Fashion-MNIST's archives have the same names.
    with (
        tempfile.TemporaryDirectory(prefix=".preparing-", dir=root) as scratch,
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
        f"{name} is not at hand (searched {searched}; {url}: {error}). Give a "
        "folder where it is prepared as --data_dir or TFDS_DATA_DIR, or its "
        f"original archives ({archives}) in <manual_dir>/{name}/ as --manual_dir, "
        "or a network connection; or take --dataset=digits, which needs none of "
        "these."
    )
