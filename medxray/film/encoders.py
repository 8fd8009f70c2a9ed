"""What writes frames into a file: H.264 and VP9 by PyAV where it is installed, else VP8 by OpenCV. No TensorFlow."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from medxray.errors import ConfigError, StorageError
from medxray.film.page import HEIGHT, WIDTH
from medxray.system import storage
from medxray.system.native_stderr import native_stderr_silenced

try:
    import av
except ImportError:  # the extra `video` is not installed
    av = None

MP4, WEBM = ".mp4", ".webm"
H264, VP9 = "libx264", "libvpx-vp9"
_OPTIONS = {
    H264: {"crf": "20", "preset": "veryfast"},
    VP9: {"crf": "32", "b": "0", "deadline": "realtime", "cpu-used": "8", "row-mt": "1"},
}
_CONTAINER = {H264: {"movflags": "+faststart"}, VP9: {}}
_BT709 = 1  # what players take a film of this size for


@dataclass(frozen=True)
class Encoder:
    """A way to write a film.

    Attributes:
        name: what it is, in words.
        opened: (path, frames of a second) -> context manager that yields a function of one frame, uint8
            (HEIGHT,WIDTH,3), RGB.
    """

    name: str
    opened: Callable


def encoder_for(file):
    """The Encoder for a file, by its suffix.

    Raises:
        ConfigError: another suffix than .mp4 and .webm, or what writes such a film is missing.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in (MP4, WEBM):
        raise ConfigError(f"A film is a file that ends in {MP4} or {WEBM}. Received '{file}'. Name it so with --out.")
    codec, words = (H264, "H.264 by PyAV") if suffix == MP4 else (VP9, "VP9 by PyAV")
    if _has(codec):
        return Encoder(words, lambda path, fps: _by_pyav(path, fps, codec))
    if suffix == WEBM:
        return Encoder("VP8 by OpenCV", _by_opencv)
    what = "PyAV, which is not installed" if av is None else "an H.264 encoder, which this PyAV lacks"
    raise ConfigError(f"{MP4} needs {what}: pip install 'medxray[video]'. Or name a file that ends in {WEBM}.")


def _has(codec):
    if av is None:
        return False
    try:
        av.codec.Codec(codec, "w")
    except (av.error.FFmpegError, ValueError):  # there is no such codec
        return False
    return True


def write_frames(file, frames, encoder, *, fps, expected):
    """Write frames into a file that is there only when all of them can be read in it.

    Args:
        file: pathlib.Path.
        frames: iterable of uint8 arrays (HEIGHT,WIDTH,3), RGB.
        encoder: Encoder.
        fps: frames of a second.
        expected: how many frames there are.

    Raises:
        StorageError: the file cannot be written, or holds other frames; what was there before stays.
    """
    with storage.atomic_path(file) as temporary:
        try:
            with encoder.opened(temporary, fps) as write:
                for frame in frames:
                    write(frame)
            found = frames_in(temporary)
        except StorageError as error:
            raise _unwritten(file, error) from error
        if found != (expected, WIDTH, HEIGHT):
            raise _unwritten(file, f"{found[0]} of {expected} frames can be read in what {encoder.name} wrote")


def _unwritten(file, why):
    return StorageError(
        f"Could not write {file}: {why}. Free disk space or choose another folder or suffix, then run the command "
        "again."
    )


@contextlib.contextmanager
def _by_pyav(path, fps, codec):
    try:
        with av.open(str(path), "w", options=_CONTAINER[codec]) as container:
            stream = container.add_stream(codec, rate=fps, options=_OPTIONS[codec])
            context = stream.codec_context
            context.width, context.height, context.pix_fmt, context.gop_size = WIDTH, HEIGHT, "yuv420p", 2 * fps
            context.color_primaries = context.color_trc = context.colorspace = context.color_range = _BT709

            def write(pixels):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))

            yield write
            container.mux(stream.encode())
    except av.error.FFmpegError as error:
        raise StorageError(f"the encoder stopped: {error.strerror or error}") from error


@contextlib.contextmanager
def _by_opencv(path, fps):
    with native_stderr_silenced():  # OpenCV says how it calls the codec in the file
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"VP80"), fps, (WIDTH, HEIGHT))
    try:
        if not writer.isOpened():
            raise StorageError("this OpenCV has no encoder for VP8")
        yield lambda pixels: writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    finally:
        writer.release()


def frames_in(file):
    """(frames, width, height) of a film as it can be read; (0, 0, 0) where it cannot."""
    return _read_by_opencv(file) if av is None else _read_by_pyav(file)


def _read_by_pyav(file):
    try:
        with av.open(str(file)) as container:
            stream = container.streams.video[0]
            count = sum(packet.size > 0 for packet in container.demux(stream))
            container.seek(0)
            first = next(container.decode(video=0))
            return count, first.width, first.height
    except (av.error.FFmpegError, IndexError, StopIteration):
        return 0, 0, 0


def _read_by_opencv(file):
    reader, count = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG), 0
    try:
        while reader.grab():
            count += 1
        return count, int(reader.get(cv2.CAP_PROP_FRAME_WIDTH)), int(reader.get(cv2.CAP_PROP_FRAME_HEIGHT))
    finally:
        reader.release()
