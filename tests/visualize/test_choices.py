"""What is chosen of a run: frames, identities, classes, and the kinds of pictures and of things drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.errors import ConfigError
from vis_pipeline.visualize.frame_choice import EVERY_FRAME, frame_choice
from vis_pipeline.visualize.identities import Identity
from vis_pipeline.visualize.identity_choice import IdentityChoice, categories_from_text, numbers_from_text
from vis_pipeline.visualize.pictures import Form, forms_from_text
from vis_pipeline.visualize.style import Part, parts_from_text

_INDEX = st.integers(0, 12)
_RANGES = st.one_of(
    _INDEX.map(str),
    st.tuples(_INDEX, st.none() | st.integers(1, 9), st.none() | st.integers(1, 4)).map(
        lambda part: (
            f"{part[0]}:{'' if part[1] is None else part[0] + part[1]}" + (f":{part[2]}" if part[2] is not None else "")
        )
    ),
    st.sampled_from([":", "::", ":5", "::3", ":7:2"]),
)


def _taken(text: str, length: int) -> set[int]:
    """By Python's own slices."""
    frames = list(range(length))
    taken: set[int] = set()
    for part in text.split(","):
        bounds = [int(number) if number else None for number in part.split(":")]
        taken |= set(frames[slice(*bounds)] if ":" in part else frames[int(part) : int(part) + 1])
    return taken


@given(parts=st.lists(_RANGES, min_size=1, max_size=3), length=st.integers(1, 20))
def test_ranges_are_pythons(parts: list[str], length: int) -> None:
    text = ",".join(parts)
    choice = frame_choice(text)
    assert choice.of(length) == sorted(_taken(text, length))
    assert [index for index in range(length) if choice.has(index)] == choice.of(length)
    assert choice.end is None or not any(choice.has(index) for index in range(choice.end, 40))


@pytest.mark.parametrize("text", ["", "a", "5:5", "9:3", "1:9:0", "-3", "1;2", "1:2:3:4", "1,,2"])
def test_what_is_no_range_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=f"--only-frames {text}"):
        frame_choice(text)


def test_frames_that_no_video_has_are_named() -> None:
    frame_choice("20:60").require_some([9, 30], "here")
    with pytest.raises(
        ConfigError, match="no frame of 20:60 is there; the longest video of here has the frames 0 to 19"
    ):
        frame_choice("20:60").require_some([9, 20], "here")
    with pytest.raises(ConfigError, match="no frame of 9:10 is there; clip has the frames 0 to 8"):
        frame_choice("3,9").require_some([9], "clip")
    EVERY_FRAME.require_some([1], "here")


def _identity(number: int, score: float | None, category: int) -> Identity:
    return Identity(number, "name", score, (), category)


def test_identities_are_chosen_by_all_that_is_asked() -> None:
    every = [_identity(1, 0.9, 7), _identity(2, 0.5, 8), _identity(3, 0.1, 7), _identity(4, None, 8)]

    def chosen(choice: IdentityChoice) -> list[int]:
        return [one.number for one in choice.of(every)]

    assert chosen(IdentityChoice()) == [1, 2, 3, 4]
    assert chosen(IdentityChoice(0.5)) == [1, 2, 4]
    assert chosen(IdentityChoice(0.5, frozenset({1, 3}))) == [1]
    assert chosen(IdentityChoice(0.0, frozenset({1, 2, 3}), frozenset({7}))) == [1, 3]
    assert [one.number for one in IdentityChoice(0.5, frozenset({1})).without_numbers(every)] == [1, 2, 4]


def test_numbers_that_are_not_there_are_named() -> None:
    IdentityChoice(0.0, frozenset({1, 2})).require_numbers(frozenset({1, 2, 3}))
    with pytest.raises(ConfigError, match=r"--ids 9: no such identity in the videos drawn \(score ≥ 0.20\), only 1, 2"):
        IdentityChoice(0.2, frozenset({1, 9})).require_numbers(frozenset({2, 1}))
    with pytest.raises(ConfigError, match="--ids 1: no such identity in the videos drawn, only none"):
        IdentityChoice(0.0, frozenset({1})).require_numbers(frozenset())
    assert numbers_from_text("1, 4,4") == {1, 4}
    with pytest.raises(ConfigError, match="--ids 1;4: not a list"):
        numbers_from_text("1;4")


def test_classes_go_by_name_or_id() -> None:
    names = {1: "person", 3: "7", 7: "giant, panda"}
    assert categories_from_text("person", names) == {1}
    assert categories_from_text("1, 7", names) == {1, 3}
    assert categories_from_text("giant, panda", names) == {7}
    assert categories_from_text("kot", {5: "kot", 6: "kot"}) == {5, 6}
    with pytest.raises(ConfigError) as caught:
        categories_from_text("person,persn", names)
    assert str(caught.value) == (
        "--classes person,persn: no class 'persn', only person (1), 7 (3), giant, panda (7); did you mean 'person'?"
    )
    with pytest.raises(ConfigError, match=r"only '.x1b\[2Ja.nb' \(1\)$"):
        categories_from_text("2", {1: "\x1b[2Ja\nb"})
    with pytest.raises(ConfigError, match="no class '2', only none"):
        categories_from_text("2", {})


def test_kinds_of_pictures_and_parts() -> None:
    assert forms_from_text("gif, sheet") == {Form.GIF, Form.SHEET}
    assert parts_from_text("fill,trails") == {Part.FILL, Part.TRAILS}
    with pytest.raises(ConfigError, match="--as mp5: there is no 'mp5', only mp4, gif, frames, sheet; did you mean"):
        forms_from_text("mp5")
    with pytest.raises(ConfigError, match=r"--draw fill,box: there is no 'box', only fill, .*; did you mean 'boxes'"):
        parts_from_text("fill,box")
    with pytest.raises(ConfigError, match="there is no ''"):
        parts_from_text("")
