"""Films of small runs: which images, in which order, with which labels, and what is refused."""

import shutil

import numpy as np
import pytest

from medxray.errors import ConfigError, DataError
from medxray.film import film as films
from medxray.film.encoders import frames_in
from medxray.film.film import write_film
from medxray.film.request import FilmRequest
from medxray.film.subjects import film_subjects

SHORT = {"seconds": 0.2, "fps": 10}


@pytest.fixture
def scenes(monkeypatch):
    """The scenes of the film that is written, in order."""
    found, frames = [], films.scene_frames

    def record(scene, count):
        found.append(scene)
        return frames(scene, count)

    monkeypatch.setattr(films, "scene_frames", record)
    return found


def test_the_own_split_is_shown_with_labels_and_a_matrix_that_adds_up(binary_run, scenes, tmp_path):
    film = write_film(binary_run, out=tmp_path / "film.webm", request=FilmRequest(**SHORT))
    assert (film.images, film.frames, film.seconds, film.labelled) == (6, 14, 1.4, True)
    assert frames_in(film.file) == (14, 1280, 720)
    table = binary_run.predict([binary_run.directory.path.parent / "images"]).set_index("path")
    assert sorted(scene.name for scene in scenes) == sorted(
        row.path.relative_to(binary_run.directory.path.parent / "images").as_posix()
        for row in binary_run_files(binary_run)
    )
    for number, scene in enumerate(scenes, 1):
        row = table.loc[str(binary_run.directory.path.parent / "images" / scene.name)]
        assert (scene.predicted, scene.true) == (row["label"], scene.name.split("/")[0])
        assert scene.probabilities[1] == pytest.approx(row["probability"], abs=1e-5)
        assert (scene.number, scene.total, scene.tally.seen) == (number, 6, number)
    right = sum(scene.predicted == scene.true for scene in scenes)
    assert scenes[-1].tally.right == right and scenes[-1].threshold == binary_run.decision.threshold.value


def binary_run_files(run):
    from medxray.runs.truth import listed_files

    return listed_files(run)


def test_the_heat_is_that_of_gradcam_on_the_image_alone(binary_run, scenes, tmp_path):
    from medxray.explain.overlay import crop_to_image

    write_film(binary_run, out=tmp_path / "film.webm", request=FilmRequest(**SHORT, images=1))
    (scene,) = scenes
    (heatmap,), _ = binary_run.gradcam([binary_run.directory.path.parent / "images" / scene.name])
    np.testing.assert_allclose(scene.heat, crop_to_image(heatmap.heatmap, heatmap.box), atol=1e-5)
    height, width = scene.picture.shape[:2]
    assert scene.heat.shape[0] / scene.heat.shape[1] == pytest.approx(height / width, rel=0.05)


def test_three_classes_have_probabilities_of_each_and_no_threshold(subtype_run, scenes, tmp_path):
    film = write_film(subtype_run, out=tmp_path / "film.webm", request=FilmRequest(**SHORT))
    assert film.images == 6 and frames_in(film.file)[0] == 14
    assert all(scene.threshold is None and scene.probabilities.sum() == pytest.approx(1) for scene in scenes)
    assert scenes[-1].tally.matrix.shape == (3, 3) and all(scene.target == scene.predicted for scene in scenes)


def test_the_seed_fixes_the_order_and_images_takes_its_beginning(binary_run):
    names = [film_subjects(binary_run, None, FilmRequest(seed=seed)).names for seed in (0, 0, 1)]
    assert names[0] == names[1] != names[2] and sorted(names[0]) == sorted(names[2])
    few = film_subjects(binary_run, None, FilmRequest(images=2))
    assert few.names == names[0][:2] and few.available == len(names[0])


def test_only_errors_and_only_correct_are_the_two_parts_of_a_film(shown_run):
    every = film_subjects(shown_run, None, FilmRequest())
    errors = film_subjects(shown_run, None, FilmRequest(only="errors"))
    correct = film_subjects(shown_run, None, FilmRequest(only="correct"))
    assert film_subjects(shown_run, None, FilmRequest(only="errors", images=1)).available == len(errors)
    assert (errors.predicted != errors.truths).all() and (correct.predicted == correct.truths).all()
    assert sorted(errors.names + correct.names) == sorted(every.names) and len(errors) and len(correct)
    assert errors.names == [name for name in every.names if name in set(errors.names)]
    assert len(film_subjects(shown_run, None, FilmRequest(only="correct", images=2))) == 2


def test_a_film_of_errors_where_there_are_none_is_an_error(shown_run, tmp_path, monkeypatch):
    labels = type(shown_run.decision).labels
    every = film_subjects(shown_run, None, FilmRequest())
    right = dict(zip(every.logits[:, 1].tolist(), every.truths.tolist(), strict=True))
    monkeypatch.setattr(
        type(shown_run.decision), "labels", lambda self, logits: np.array([right[one] for one in logits[:, 1].tolist()])
    )
    with pytest.raises(DataError, match=r"is labelled wrongly, so there is no film to make \(\d+ images\)"):
        write_film(shown_run, out=tmp_path / "film.webm", request=FilmRequest(only="errors"))
    monkeypatch.setattr(type(shown_run.decision), "labels", labels)
    assert list(tmp_path.iterdir()) == []


def test_stored_predictions_are_not_computed_again(trained, monkeypatch):
    import medxray.film.subjects as subjects

    def again(*parts):
        raise AssertionError("the run holds its predictions")

    computed = film_subjects(trained, None, FilmRequest())
    monkeypatch.setattr(subjects, "predict_batches", again)
    stored = film_subjects(trained, None, FilmRequest())
    assert stored.names == computed.names and stored.predicted.tolist() == computed.predicted.tolist()
    assert stored.what == "test split of small"


def test_a_plain_folder_has_no_labels_and_that_is_said(shown_run, plain_folder, scenes, tmp_path, caplog):
    with caplog.at_level("INFO", logger="medxray"):
        film = write_film(shown_run, plain_folder, out=tmp_path / "film.webm", request=FilmRequest(**SHORT))
    assert not film.labelled and film.images == 3
    assert all(scene.true is None and scene.tally is None for scene in scenes)
    assert f"{plain_folder} has no class folders: true labels and confusion matrix are left out." in caplog.messages
    with pytest.raises(ConfigError, match="--only errors needs true labels"):
        film_subjects(shown_run, plain_folder, FilmRequest(only="errors"))


def test_labelled_folders_of_another_place_are_shown_with_their_labels(shown_run, plain_folder, tmp_path):
    for name, number in (("NORMAL", 0), ("PNEUMONIA", 1)):
        (tmp_path / "other" / name).mkdir(parents=True)
        shutil.copy(plain_folder / f"{number}.png", tmp_path / "other" / name)
    found = film_subjects(shown_run, tmp_path / "other", FilmRequest())
    assert dict(zip(found.names, found.truths.tolist(), strict=True)) == {"NORMAL/0.png": 0, "PNEUMONIA/1.png": 1}
    assert film_subjects(shown_run, tmp_path / "other", FilmRequest(unlabelled=True)).truths is None


def test_unknown_labels_are_an_error_that_names_the_way_out(shown_run, plain_folder, tmp_path):
    for name in ("siteA", "siteB"):
        shutil.copytree(plain_folder, tmp_path / "sites" / name)
    with pytest.raises(DataError, match="If the images have no labels: --unlabelled."):
        film_subjects(shown_run, tmp_path / "sites", FilmRequest())
    assert len(film_subjects(shown_run, tmp_path / "sites", FilmRequest(unlabelled=True))) == 6


def test_files_that_cannot_be_read_are_left_out_and_named(shown_run, plain_folder, caplog):
    (plain_folder / "text.png").write_text("no image")
    whole = (plain_folder / "0.png").read_bytes()
    (plain_folder / "half.png").write_bytes(whole[: len(whole) // 2])
    with caplog.at_level("INFO", logger="medxray"):
        found = film_subjects(shown_run, plain_folder, FilmRequest())
    assert sorted(found.names) == ["0.png", "1.png", "2.png"]
    assert [one for one in caplog.messages if one.startswith("Left out: text.png")]
    assert [one for one in caplog.messages if one.startswith("Left out: half.png")]


def test_options_that_contradict_each_other_are_refused(shown_run, plain_folder):
    with pytest.raises(ConfigError, match="--unlabelled is for --data"):
        film_subjects(shown_run, None, FilmRequest(unlabelled=True))
    with pytest.raises(ConfigError, match="--label-map is for labelled data"):
        film_subjects(shown_run, plain_folder, FilmRequest(unlabelled=True), label_map={"a": "NORMAL"})


def test_a_file_that_is_gone_while_the_film_is_made_leaves_no_film(binary_run, tmp_path, monkeypatch):
    found = film_subjects(binary_run, None, FilmRequest())
    found.files[-1] = tmp_path / "gone.png"
    monkeypatch.setattr(films, "film_subjects", lambda *parts, **how: found)
    with pytest.raises(DataError, match="gone.png: it cannot be read any more"):
        write_film(binary_run, out=tmp_path / "film.webm", request=FilmRequest(**SHORT))
    assert list(tmp_path.iterdir()) == []


def test_the_command_names_the_file_and_what_it_holds(medxray, shown_run, plain_folder, tmp_path):
    out = tmp_path / "film.webm"
    words = ["video", shown_run.path, "--data", plain_folder, "--out", out, "--seconds", "0.2", "--fps", "10"]
    status, printed, err = medxray(*words)
    assert (status, printed) == (0, f"{out}\n"), err
    assert "3 images, 0.8 s, 8 frames, V" in err and "without true classes and confusion matrix" in err
    assert frames_in(out)[0] == 8


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--out", "film.avi"], 2, "ends in .mp4 or .webm"),
        (["--out", "film.webm", "--seconds", "0"], 2, "--seconds must be above 0"),
        (["--out", "film.webm", "--fps", "1000"], 2, "--fps must be 1 to 60"),
        (["--out", "film.webm", "--label-map", "a=NORMAL"], 2, "--label-map says how --data is read"),
        (["--out", "film.webm", "--data", "nowhere"], 1, "nowhere"),
        (["--out", "folder.webm"], 1, "Could not write folder.webm: Is a directory"),
        ([], 2, "Missing option '--out'"),
    ],
)
def test_what_cannot_be_done_is_one_line(medxray, shown_run, tmp_path, monkeypatch, words, status, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.webm").mkdir()
    found, out, err = medxray("video", shown_run.path, *words)
    assert (found, out) == (status, "") and message in err, err
    assert len([line for line in err.splitlines() if line.startswith("Error")]) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["folder.webm"]


def test_a_detector_is_refused_with_the_command_that_shows_its_maps(binary_run, tmp_path, monkeypatch):
    def refuse():
        raise ConfigError("it is an anomaly run; Grad-CAM is for classifiers. Use: medxray anomaly map")

    monkeypatch.setattr(binary_run, "check_gradcam", refuse)
    with pytest.raises(ConfigError, match="medxray anomaly map"):
        write_film(binary_run, out=tmp_path / "film.webm")
