from vis_pipeline.training.json_lines import append_line, keep_before, read_lines


def test_what_was_appended_is_read_but_for_a_line_that_was_cut_short(tmp_path):
    path = tmp_path / "log.jsonl"
    assert read_lines(path) == []
    for step in range(3):
        append_line(path, {"step": step, "loss": step / 2})
    with path.open("a") as file:
        file.write('{"step": 3, "lo')
    assert [line["loss"] for line in read_lines(path)] == [0, 0.5, 1]


def test_later_lines_are_dropped(tmp_path):
    path = tmp_path / "log.jsonl"
    keep_before(path, 2)
    assert not path.exists()
    for step in range(4):
        append_line(path, {"step": step})
    keep_before(path, 2)
    assert [line["step"] for line in read_lines(path)] == [0, 1]
