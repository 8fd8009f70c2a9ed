"""PyTorch's format since version 1.6: an archive with one pickle and one uncompressed member for each storage."""

import functools
import io
import struct
import zipfile

from medxray.models.tensor_files.cursor import Cursor
from medxray.models.tensor_files.opcodes import interpret
from medxray.models.tensor_files.refused import Refused, shown
from medxray.models.tensor_files.tensors import arrays

START = b"PK\x03\x04"
_END = b"PK\x05\x06"  # of the last record, which has 22 bytes
_DAMAGE = (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, OSError, OverflowError, struct.error)
_TORCHSCRIPT = ("constants.pkl", "code/")


def read(content, choose):
    """Read a file; arguments, result and errors as for `old_torch.read`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(archive, content, choose)
    except _DAMAGE as error:
        raise Refused(f"its archive is damaged: {shown(error)}") from error


def _read(archive, content, choose):
    members = _members(archive, content)
    if members.keys() & {"byteorder"} and archive.read(members["byteorder"]) != b"little":
        raise Refused("its numbers are big-endian; save it again on a little-endian computer")
    cursor = Cursor(archive.read(members["data.pkl"]))
    tensors = choose(interpret(cursor, {}))
    if cursor.left:
        raise Refused(f"{cursor.left} bytes stand behind its pickle")

    @functools.cache
    def content_of(storage):
        if f"data/{storage.key}" not in members:
            raise Refused(f"storage {shown(storage.key)} is missing")
        return archive.read(members[f"data/{storage.key}"])

    return arrays(tensors, content_of, file_size=len(content))


def _members(archive, content):
    """The members by their names below the folder that PyTorch puts them in."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if content[-22:-18] != _END:
        raise Refused("bytes stand behind its archive")
    if len(set(names)) != len(names):
        raise Refused("its archive holds two members of one name")
    for info in infos:
        _check_member(info)
    if sum(info.file_size for info in infos) > len(content):
        raise Refused("the members of its archive overlap")
    return _below_root(infos)


def _check_member(info):
    name = shown(info.filename)
    if info.filename.startswith("/") or "\\" in info.filename or ".." in info.filename.split("/"):
        raise Refused(f"the member {name} of its archive leaves its folder")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
        raise Refused(f"the member {name} of its archive is compressed or encrypted, as PyTorch does not do")


def _below_root(infos):
    roots = {info.filename.partition("/")[0] for info in infos}
    if len(roots) != 1:
        raise Refused("its archive does not hold one folder, as PyTorch makes it")
    members = {info.filename.partition("/")[2]: info for info in infos}
    if any(name.startswith(_TORCHSCRIPT) for name in members):
        raise Refused("it is a TorchScript program; save the state_dict of the network instead")
    if "data.pkl" not in members:
        raise Refused("its archive holds no data.pkl")
    return members
