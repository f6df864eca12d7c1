"""Files of the Hugging Face hub, of a mirror of it (HF_ENDPOINT), or of its cache on this machine (HF_HUB_OFFLINE)."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub
from huggingface_hub import errors

from ditr_train.data.errors import DataError
from ditr_train.weights.published_models import HubFile


@dataclass(frozen=True)
class FetchedFile:
    """A file that is whole."""

    path: Path
    commit: str
    """That it was taken from."""
    sha256: str


def fetch(file: HubFile, *, revision: str | None = None, cache: Path | None = None) -> FetchedFile:
    """Downloads a file, or finds it in the cache (by default the hub's own), and checks size and SHA-256.

    `revision` is taken in place of the table's. Raises DataError that says what the hub said and what mends it.
    """
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    wanted = revision or file.revision

    def download(path: str) -> Path:
        return Path(
            huggingface_hub.hf_hub_download(
                file.repository,
                path,
                revision=wanted,
                cache_dir=cache,
                endpoint=os.environ.get("HF_ENDPOINT") or None,
                local_files_only=offline,
            )
        )

    name = f"{file.repository}/{file.path} at {wanted}"
    try:
        try:
            path = download(file.path)
        except errors.LocalEntryNotFoundError:
            raise
        except errors.EntryNotFoundError:
            path = download(_elsewhere(file, wanted))
    except errors.LocalEntryNotFoundError as error:
        reason = "HF_HUB_OFFLINE is set" if offline else f"the hub cannot be reached ({_sentence(error.__cause__)})"
        raise DataError(
            f"{name}: {reason}, and it is not in the cache; fetch it once with a connection "
            "(HF_ENDPOINT names a mirror)"
        ) from error
    except errors.GatedRepoError as error:
        raise DataError(
            f"{name}: its publisher gives it only to those who accepted the terms on the page of {file.repository}; do "
            "that, and log in with `hf auth login` or set HF_TOKEN"
        ) from error
    except (errors.HfHubHTTPError, OSError, ValueError) as error:
        raise DataError(f"{name}: the hub says: {_sentence(error)}") from error
    return _checked(path, file, name)


def _elsewhere(file: HubFile, revision: str) -> str:
    """The one file of the same name below the same folder."""
    folder, _, name = file.path.rpartition("/")
    folder = folder.rpartition("/")[0]
    api = huggingface_hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
    names = api.list_repo_files(file.repository, revision=revision)
    found = [each for each in names if each.startswith(f"{folder}/" if folder else "") and each.endswith(f"/{name}")]
    if len(found) != 1:
        listed = ", ".join(found) if found else "no other of this name"
        raise DataError(f"{file.repository} at {revision} has no {file.path}, and below {folder or 'it'} {listed}")
    return found[0]


def _checked(path: Path, file: HubFile, name: str) -> FetchedFile:
    size = path.stat().st_size
    if file.size and size != file.size:
        raise DataError(f"{name}: {path} has {size} bytes, not {file.size}; delete it and fetch it again")
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    # The cache names the blob of a large file after the SHA-256 that the hub gave as its ETag.
    blob = path.resolve().name
    for wanted, whose in (
        (file.sha256, "the table's"),
        (blob if re.fullmatch(r"[0-9a-f]{64}", blob) else "", "the hub's"),
    ):
        if wanted and sha256 != wanted:
            raise DataError(
                f"{name}: {path} has the SHA-256 {sha256}, not {whose} {wanted}; delete {path.resolve()} and fetch "
                "it again"
            )
    commit = re.search(r"/snapshots/([^/]+)/", path.as_posix())
    return FetchedFile(path, commit.group(1) if commit else "", sha256)


def _sentence(error: BaseException | None) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0] if error is not None and str(error) else type(error).__name__
