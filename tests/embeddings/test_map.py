"""Maps of embeddings as a picture and as a page."""

import html.parser
import json
import re

import numpy as np
import pytest
from matplotlib.colors import to_hex

from medxray.data.images.thumbnails import jpeg_data
from medxray.embeddings.map import ScatterDisplay
from medxray.embeddings.map_page import scatter_page
from medxray.embeddings.neighborhood import structure_report
from medxray.embeddings.projection import project
from medxray.embeddings.vectors import Embeddings
from medxray.plots import style

HOSTILE = "</script><img src=x onerror=alert(1)>&\"'\u2028{0}"
LONG = ("a rather long name of a class, first", "a rather long name of a class, second")


@pytest.fixture
def mapped():
    """Build (embeddings, projection, structure) of a small simulated set."""

    def build(classes=("NORMAL", "PNEUMONIA"), *, n=60, name="img", run="run"):
        rng, k = np.random.default_rng(0), len(classes)
        y_true = np.arange(n) % k
        found = Embeddings(
            ids=np.array([f"{name}{row}.png" for row in range(n)]),
            patients=np.array([f"{name}p{row // 2}" for row in range(n)]),
            labels=np.array(classes)[y_true],
            subtypes=np.array([name] * n),
            splits=np.array(["train", "val", "test", ""])[np.arange(n) // k % 4],
            digests=np.array(["0"] * n),
            vectors=(rng.normal(size=(n, 4)) + np.eye(k, 4)[y_true]).astype(np.float32),
            classes=tuple(classes),
            positive=classes[-1] if k == 2 else None,
            model_digest="ab" * 32,
            run=run,
            root="/nowhere",
        )
        return found, project(found.vectors, "pca"), structure_report(found, n_boot=60)

    return build


def page_of(parts, *, rows=None, thumbnails=None):
    rows = np.arange(len(parts[0])) if rows is None else np.asarray(rows)
    pictures = [jpeg_data(np.full((8, 8), 90, np.uint8))] * len(rows) if thumbnails is None else thumbnails
    return scatter_page(*parts, rows=rows, thumbnails=pictures, seed=0)


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


class Tags(html.parser.HTMLParser):
    """Counts elements and collects addresses of resources."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.addresses, self.handlers = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "data", "action")]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]


def test_every_image_is_a_point_in_the_colour_of_its_class(mapped):
    found, projection, structure = mapped()
    figure = ScatterDisplay(found, projection, structure).plot()
    drawn = {}
    for collection in figure.axes[0].collections:
        for point, colour in zip(collection.get_offsets(), collection.get_facecolors(), strict=True):
            drawn[tuple(np.round(point, 9))] = to_hex(colour).upper()
    pairs = zip(projection.points, found.y_true, strict=True)
    expected = {tuple(np.round(point, 9)): style.class_colour(k) for point, k in pairs}
    assert drawn == expected


def test_splits_have_shapes_of_their_own(mapped):
    figure = ScatterDisplay(*mapped()).plot()
    paths = [len(collection.get_paths()[0].vertices) for collection in figure.axes[0].collections]
    assert len(figure.axes[0].collections) == 4 and len(set(paths)) >= 3


def test_figures_stand_beside_the_map(mapped):
    parts = mapped()
    texts = [text.get_text() for axes in ScatterDisplay(*parts).plot().axes for text in axes.texts]
    group = parts[2]["groups"][0]["purity"]
    assert f"{group['value']:.2f} [{group['ci95'][0]:.2f}, {group['ci95'][1]:.2f}]" in texts
    assert any("10 nearest images of other patients" in text for text in texts)


@pytest.mark.parametrize("classes", [("NORMAL", "PNEUMONIA"), LONG, ("NORMAL", "BACTERIAL", "VIRAL")])
def test_texts_do_not_collide(mapped, colliding_texts, classes):
    assert colliding_texts(ScatterDisplay(*mapped(classes)).plot()) == []


def test_page_loads_nothing_from_elsewhere(mapped):
    page = page_of(mapped())
    assert Tags(page).addresses == [] and "http" not in page.replace("http://www.w3.org/2000/svg", "").replace(
        "http-equiv", ""
    )
    assert "default-src 'none'; img-src data:" in page.replace("&#x27;", "'")


def test_page_holds_every_image_with_its_facts(mapped):
    found, projection, structure = mapped()
    data = data_of(page_of((found, projection, structure), rows=[3, 8, 20]))
    assert [point["id"] for point in data["points"]] == list(found.ids[[3, 8, 20]])
    assert [data["classes"][point["c"]]["name"] for point in data["points"]] == list(found.labels[[3, 8, 20]])
    assert [data["splits"][point["s"]] for point in data["points"]] == list(found.splits[[3, 8, 20]])
    span = np.ptp(projection.points, axis=0)
    expected = (projection.points[[3, 8, 20]] - projection.points.min(axis=0)) / span
    np.testing.assert_allclose([[point["x"], point["y"]] for point in data["points"]], expected, atol=1e-5)


def test_hostile_names_stay_text(mapped):
    parts = mapped((f"N{HOSTILE}", f"P{HOSTILE}"), name=HOSTILE, run=HOSTILE)
    page = page_of(parts)
    harmless = Tags(page_of(mapped()))
    found = Tags(page)
    assert found.tags == harmless.tags and found.handlers == [] and found.addresses == []
    data = data_of(page)
    assert data["points"][0]["id"] == f"{HOSTILE}0.png" and data["classes"][1]["name"] == f"P{HOSTILE}"


def test_script_sets_texts_only_as_text():
    from medxray.embeddings.map_script import SCRIPT

    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", SCRIPT)


def test_page_says_once_that_it_is_no_medical_device(mapped):
    assert page_of(mapped()).count("not a medical device") == 1


def test_page_names_what_it_leaves_out(mapped):
    parts = mapped()
    assert "shows 3 of them, a sample stratified by split and class (seed 0)" in page_of(parts, rows=[1, 2, 3])
    page = page_of(parts, rows=[1, 2], thumbnails=[None, "AAAA"])
    assert "1 image file could not be read" in page and data_of(page)["points"][0]["jpeg"] is None
    assert "sample" not in page_of(parts)
