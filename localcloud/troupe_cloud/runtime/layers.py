"""Layers at ``/opt``.

What AWS does (Lambda developer guide, "Managing Lambda dependencies with layers"): the layers of a
function are unpacked over each other into ``/opt``, later ones on top. MiniStack unpacks each one
somewhere and only helps Node and Python find modules there. Here the union is bound to ``/opt`` for
the function's process alone, in a mount namespace of its own; where the machine forbids that (no
``unshare``, or the interpreter itself lives below ``/opt``) the paths MiniStack sets remain.
"""

import functools
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile

from ministack.services import lambda_svc

from troupe_cloud.patching import require

require(lambda_svc, "_resolve_layer_zip")
BIND = 'mount --bind "$0" /opt && exec "$@"'
_lock = threading.Lock()


def layer_arns(config):
    return [
        layer if isinstance(layer, str) else layer.get("Arn", "")
        for layer in config.get("Layers") or []
    ]


def union_of(config):
    """The folder holding the layers of a configuration over each other, or None without layers."""
    arns = [arn for arn in layer_arns(config) if arn]
    if not arns:
        return None
    blobs = [blob for blob in map(lambda_svc._resolve_layer_zip, arns) if blob]
    digest = hashlib.sha256(b"".join(hashlib.sha256(blob).digest() for blob in blobs)).hexdigest()[
        :24
    ]
    folder = os.path.join(tempfile.gettempdir(), f"troupe-opt-{os.getpid()}-{digest}")
    with _lock:
        if not os.path.isdir(folder):
            unpack(blobs, folder)
    return folder


def unpack(blobs, folder):
    partial = folder + ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(partial)
    for blob in blobs:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            for entry in archive.infolist():
                path = archive.extract(entry, partial)
                mode = entry.external_attr >> 16
                if mode and not entry.is_dir():
                    os.chmod(path, mode & 0o777)
    os.rename(partial, folder)


@functools.cache
def namespace_command():
    """The command that gives a process mounts of its own, or None where that is not allowed."""
    if any(
        os.path.realpath(path or "").startswith("/opt/")
        for path in (sys.executable, shutil.which("node"))
    ):
        return None
    options = ["-m", "-rm"] if os.geteuid() == 0 else ["-rm"]
    with tempfile.TemporaryDirectory() as folder:
        for option in options:
            command = ["unshare", option, "sh", "-c", BIND, folder, "true"]
            try:
                if (
                    subprocess.run(
                        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=5
                    ).returncode
                    == 0
                ):
                    return ["unshare", option, "sh", "-c", BIND]
            except (OSError, subprocess.TimeoutExpired):
                pass
    return None


def with_layers(command, environment, config):
    """``(command, environment)`` of a process that sees its layers at ``/opt``."""
    folder = union_of(config)
    if folder is None:
        return command, environment
    wrapper = namespace_command()
    shown = "/opt" if wrapper else folder
    environment = dict(environment)
    environment["PATH"] = f"{environment.get('PATH', '')}:{shown}/bin"
    environment["LD_LIBRARY_PATH"] = f"{environment.get('LD_LIBRARY_PATH', '')}:{shown}/lib".lstrip(
        ":"
    )
    return ([*wrapper, folder, *command] if wrapper else command), environment
