"""What a search may try."""

import pytest

from vis_pipeline.bench.search import Between, OneOf, parse_choice
from vis_pipeline.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "key", "choice"),
    [
        ("tracking.match_iou=0.1:0.5", "tracking.match_iou", Between(0.1, 0.5)),
        ("tracking.max_hidden=2:24", "tracking.max_hidden", Between(2, 24)),
        ("tracking.birth_score=0:1e-1", "tracking.birth_score", Between(0, 0.1)),
        ("tracking.kept_mask=detector,tracker", "tracking.kept_mask", OneOf(("detector", "tracker"))),
        ("tracker.stages=1", "tracker.stages", OneOf(("1",))),
    ],
)
def test_choices(text, key, choice):
    assert parse_choice(text) == (key, choice)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tracking.match_iou", "expected KEY=LOW:HIGH or KEY=A,B,C"),
        ("=1:2", "expected KEY="),
        ("a=", "expected KEY="),
        ("a=1:b", "1:b are not two numbers"),
        ("a=2:1", "2 is not below 1"),
        ("a=0:1e400", "0 is not below 1e400"),
    ],
)
def test_what_is_no_choice(text, message):
    with pytest.raises(ConfigError, match=f"^--search {text}: .*{message}"):
        parse_choice(text)
