"""What was probably meant by a mistyped name."""

import pytest

from medxray.system.spelling import did_you_mean


@pytest.mark.parametrize(
    ("word", "text"),
    [("vgg61", " Did you mean 'vgg16'?"), ("VGG16", " Did you mean 'vgg16'?"), ("zebra", ""), (3, "")],
)
def test_the_name_that_is_most_like_a_word_is_asked_for(word, text):
    assert did_you_mean(word, ["resnet50", "vgg16"]) == text
