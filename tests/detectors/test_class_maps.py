import json
from pathlib import Path

import pytest

from detectors.class_maps import (
    COCO,
    COCO_TO_YOUTUBE_VIS_2019,
    COCO_TO_YOUTUBE_VIS_2021,
    EVERYDAY,
    EVERYDAY_TO_YOUTUBE_VIS_2019,
    EVERYDAY_TO_YOUTUBE_VIS_2021,
    YOUTUBE_VIS_2019,
    YOUTUBE_VIS_2021,
    build_class_map,
    build_recorded_map,
    counterparts,
)
from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.splits import Category

SPLIT_2019 = [Category(index, name) for index, name in enumerate(YOUTUBE_VIS_2019, 1)]
SPLIT_2021 = [Category(index, name) for index, name in enumerate(YOUTUBE_VIS_2021, 1)]


def test_both_years_have_forty_classes_with_their_known_ids() -> None:
    assert len(set(YOUTUBE_VIS_2019)) == len(set(YOUTUBE_VIS_2021)) == 40
    assert (YOUTUBE_VIS_2019.index("person") + 1, YOUTUBE_VIS_2021.index("person") + 1) == (1, 26)
    assert list(YOUTUBE_VIS_2021) == sorted(YOUTUBE_VIS_2021)


def test_coco_classes_are_mmdets_in_their_order() -> None:
    from mmdet.datasets import CocoDataset

    assert CocoDataset.METAINFO["classes"] == COCO


@pytest.mark.parametrize(
    "table, classes", [(COCO_TO_YOUTUBE_VIS_2019, YOUTUBE_VIS_2019), (COCO_TO_YOUTUBE_VIS_2021, YOUTUBE_VIS_2021)]
)
def test_tables_speak_of_real_classes_once_and_not_of_the_mouse(
    table: dict[str, str], classes: tuple[str, ...]
) -> None:
    assert set(table) <= set(COCO)
    assert set(table.values()) <= set(classes)
    assert len(set(table.values())) == len(table)
    assert "mouse" not in table
    same_name = {name for name in classes if name.replace("_", " ") in COCO}
    assert same_name - set(table.values()) == {"mouse"}


def test_coco_to_each_year() -> None:
    ids_2019 = dict(zip(COCO, build_class_map(COCO, SPLIT_2019, "coco-to-ytvis2019"), strict=True))
    ids_2021 = dict(zip(COCO, build_class_map(COCO, SPLIT_2021, "coco-to-ytvis2021"), strict=True))
    assert (ids_2019["person"], ids_2021["person"]) == (1, 26)
    assert (ids_2019["motorcycle"], ids_2021["motorcycle"]) == (21, 23)
    assert (ids_2019["car"], ids_2021["car"]) == (6, 5)
    assert (ids_2019["frisbee"], ids_2021["frisbee"]) == (None, 14)
    assert (ids_2019["bird"], ids_2021["bird"]) == (None, 3)
    assert ids_2019["mouse"] is None and ids_2021["mouse"] is None
    assert ids_2019["tennis racket"] == 40
    assert sum(entry is not None for entry in ids_2019.values()) == 19
    assert sum(entry is not None for entry in ids_2021.values()) == 21


@pytest.mark.parametrize(
    ("year", "split", "table", "car"),
    [
        (2019, SPLIT_2019, EVERYDAY_TO_YOUTUBE_VIS_2019, "sedan"),
        (2021, SPLIT_2021, EVERYDAY_TO_YOUTUBE_VIS_2021, "car"),
    ],
)
def test_everyday_classes_to_each_year(year: int, split: list[Category], table: dict[str, str], car: str) -> None:
    names = {category.id: category.name for category in split}
    found = build_class_map(EVERYDAY, split, f"everyday-to-ytvis{year}")
    given = dict(zip(EVERYDAY, [None if entry is None else names[entry] for entry in found], strict=True))
    assert given == {name: table.get(name) for name in EVERYDAY}
    assert (given["car"], given["motorcycle"], given["animal"], given["object"]) == (car, "motorbike", None, None)
    with pytest.raises(ConfigError, match="'disc' is not a class of EVERYDAY"):
        build_class_map(["disc"], split, f"everyday-to-ytvis{year}")


def test_the_everyday_classes_are_those_that_the_bundled_detector_learns() -> None:
    from detectors.mmdet_config import read_config

    assert tuple(read_config("recipes/htc_lite_real").classes) == EVERYDAY


def test_a_coco_map_for_the_wrong_year_or_detector() -> None:
    with pytest.raises(ConfigError, match="'car' maps to 'sedan', which the split lacks"):
        build_class_map(COCO, SPLIT_2021, "coco-to-ytvis2019")
    with pytest.raises(ConfigError, match="'disc' is not a class of COCO"):
        build_class_map(["disc"], SPLIT_2021, "coco-to-ytvis2021")


def test_by_name_ignores_case_spaces_and_hyphens_and_takes_the_splits_ids() -> None:
    categories = [Category(7, "tennis_racket"), Category(3, "Giant-Panda")]
    assert build_class_map(["giant panda", "tennis racket", "giant_panda"], categories, "by-name") == (3, 7, 3)
    with pytest.raises(ConfigError, match="'duck' maps to 'duck', which the split lacks"):
        build_class_map(["duck"], categories, "by-name")


def test_common_drops_what_the_split_lacks() -> None:
    categories = [Category(7, "tennis_racket"), Category(3, "lizard")]
    assert build_class_map(["duck", "tennis racket", "disc"], categories, "common") == (None, 7, None)
    with pytest.raises(ConfigError, match="none of the detector's classes duck, disc is a category of the split"):
        build_class_map(["duck", "disc"], categories, "common")


def test_agnostic_is_the_first_category() -> None:
    assert build_class_map(COCO[:3], [Category(9, "object"), Category(2, "other")], "agnostic") == (9, 9, 9)


def test_a_map_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"car": "sedan", "bus": None}))
    assert build_class_map(["bus", "car"], SPLIT_2019, str(path)) == (None, 6)
    with pytest.raises(ConfigError, match="'kite' has no category name or null"):
        build_class_map(["kite"], SPLIT_2019, str(path))
    path.write_text("[1]")
    with pytest.raises(ConfigError, match="not a JSON object"):
        build_class_map(["bus"], SPLIT_2019, str(path))
    path.write_text("{")
    with pytest.raises(ConfigError, match="not JSON"):
        build_class_map(["bus"], SPLIT_2019, str(path))
    with pytest.raises(ConfigError, match="neither a file that can be read nor by-name or"):
        build_class_map(["bus"], SPLIT_2019, "coco-to-ytvis2020")


def test_recorded_ids(tmp_path: Path) -> None:
    assert build_recorded_map(SPLIT_2019, None)(40) == 40
    with pytest.raises(KeyError):
        build_recorded_map(SPLIT_2019, None)(41)
    assert build_recorded_map(SPLIT_2019, "agnostic")(41) == 1
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"3": "sedan", "4": 2, "5": None}))
    mapping = build_recorded_map(SPLIT_2019, str(path))
    assert [mapping(identifier) for identifier in (3, 4, 5)] == [6, 2, None]
    with pytest.raises(KeyError):
        mapping(6)
    for bad, words in [
        ({"3": "car"}, "'car', which the split lacks"),
        ({"3": 41}, "41"),
        ({"car": 3}, "not a category id"),
    ]:
        path.write_text(json.dumps(bad))
        with pytest.raises(ConfigError, match=words):
            build_recorded_map(SPLIT_2019, str(path))


def test_counterparts_of_coco_follow_the_tables_and_leave_the_mouse_out() -> None:
    found = counterparts(YOUTUBE_VIS_2021, COCO)
    assert found == {target: source for source, target in COCO_TO_YOUTUBE_VIS_2021.items()}
    assert list(found) == [name for name in YOUTUBE_VIS_2021 if name in found]
    assert counterparts(YOUTUBE_VIS_2019, COCO)["sedan"] == "car"


def test_counterparts_by_name() -> None:
    assert counterparts(["Cell-Phone", "mouse", "person"], COCO) == {
        "Cell-Phone": "cell phone",
        "mouse": "mouse",
        "person": "person",
    }
    assert counterparts(["bicycle", "mouse", "drone"], COCO) == {"bicycle": "bicycle"}
    assert counterparts(["mouse", "sedan", "car"], ["car", "mouse"]) == {"mouse": "mouse", "car": "car"}
    assert counterparts(["star"], []) == {}
