"""What is asked of a film."""

import pytest

from medxray.errors import ConfigError
from medxray.film.request import FilmRequest, images_text


def test_seconds_and_frames_of_a_second_give_the_frames_of_an_image():
    assert FilmRequest().frames_each == 45
    assert FilmRequest(seconds=0.5, fps=25).frames_each == 12


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"only": "some"}, "--only must be one of errors, correct. Received 'some'"),
        ({"fps": 0}, "--fps must be 1 to 60. Received 0"),
        ({"fps": 61}, "Received 61"),
        ({"seconds": 0.0}, "--seconds must be above 0"),
        ({"seconds": float("nan")}, "Received nan"),
        ({"seconds": 61.0}, "at most 60"),
        ({"seconds": 0.1, "fps": 4}, "a frame or more at 4 frames a second. Received 0.1"),
        ({"images": 0}, "--images must be 1 or more"),
        ({"only": "errors", "unlabelled": True}, "--only errors needs true labels"),
    ],
)
def test_what_gives_no_film_is_refused(wanted, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        FilmRequest(**wanted)


def test_how_many_of_how_many_images_is_told():
    assert images_text(1, 1) == "1 image" and images_text(1200, 1200) == "1,200 images"
    assert images_text(1, 2) == "1 of 2 images" and images_text(30, 1798) == "30 of 1,798 images"
