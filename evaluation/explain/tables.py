"""The error analysis as tables for the terminal."""

from rich.table import Table
from rich.text import Text

from evaluation.explain.analysis import Confusion, Explanation
from evaluation.explain.kinds import Kind

MEANINGS = {
    Kind.MISSED.value: "objects that no track found",
    Kind.DUPLICATE.value: "a better-scored track has the object",
    Kind.WRONG_CLASS.value: "on an object of another class",
    Kind.POOR_MASK.value: "IoU below 0.5 with the right object",
    Kind.IDENTITY_SWITCH.value: "one track on several objects",
    Kind.BROKEN_TRACK.value: "one object in several tracks",
    Kind.FALSE_POSITIVE.value: "on no object of its class",
    Kind.LOOSE_MASK.value: "found, but IoU below 0.95",
}
MOST_ROWS = 10
SHOWN = 0.0005


def explanation_tables(explanation: Explanation) -> tuple[Table, ...]:
    """Costs by kind, the worst videos, and the most frequent confusions; the last two only where there are any."""
    tables = [kind_table(explanation)]
    if explanation.worst_videos:
        tables.append(video_table(explanation))
    if confused_pairs(explanation.confusion):
        tables.append(confusion_table(explanation))
    return tuple(tables)


def kind_table(explanation: Explanation) -> Table:
    """What fixing each kind alone would add to AP and AP50, most costly first, and an example of each."""
    table = Table(title="Why is my AP low? What fixing one kind of error alone would add")
    table.add_column("kind", no_wrap=True)
    for name in ("count", "AP", "AP50"):
        table.add_column(name, justify="right")
    table.add_column("what it is")
    table.add_column("for example")
    for error in sorted(explanation.errors, key=lambda error: (-error.dAP, -error.count)):
        example = Text()
        if error.examples:
            first = error.examples[0]
            about = f"annotation {first.truths[0]}" if first.track is None else f"track {first.track}"
            example = Text(f"{first.video}: {about} ({first.category})")
        table.add_row(
            error.kind,
            str(error.count),
            _signed(error.dAP),
            _signed(error.dAP50),
            MEANINGS[error.kind],
            example,
            style=None if error.count else "dim",
        )
    if any(error.dAP <= -SHOWN for error in explanation.errors):
        table.caption = (
            "An AP below 0: what is wrong at IoU 0.5 is right at a stricter one, say a duplicate's better mask"
        )
    table.add_section()
    totals = (
        ("all unmatched", explanation.false_positives, "dropped"),
        ("all not found", explanation.false_negatives, "no longer counted"),
    )
    for name, cost, done in totals:
        table.add_row(name, str(cost.count), _signed(cost.dAP), _signed(cost.dAP50), done, "")
    return table


def video_table(explanation: Explanation) -> Table:
    """The worst videos: what AP would gain if their errors no longer counted, AP of the video alone, and its errors."""
    table = Table(title="Worst videos, by what AP would gain if their errors no longer counted")
    table.add_column("video", overflow="fold")
    for name in ("objects", "gain", "own AP"):
        table.add_column(name, justify="right")
    table.add_column("errors")
    for video in explanation.worst_videos[:MOST_ROWS]:
        errors = ", ".join(f"{count} {kind}" for kind, count in video.counts.items() if count)
        own = "-" if video.AP is None else f"{video.AP:.3f}"
        table.add_row(Text(video.name), str(video.truths), f"{video.cost:+.4f}", own, errors)
    return table


def confusion_table(explanation: Explanation) -> Table:
    """The most frequent confusions between classes."""
    table = Table(title="Classes taken for others (tracks that overlap an object at IoU 0.5)")
    table.add_column("object", overflow="fold")
    table.add_column("predicted as", overflow="fold")
    table.add_column("tracks", justify="right")
    table.add_column("of the object's", justify="right")
    for truth, predicted, count, share in confused_pairs(explanation.confusion)[:MOST_ROWS]:
        table.add_row(Text(truth), Text(predicted), str(count), f"{share:.0%}")
    return table


def confused_pairs(confusion: Confusion) -> list[tuple[str, str, int, float]]:
    """Class, class it is taken for, how many tracks, and their share in the tracks on that class; most first."""
    pairs = []
    for row, (truth, counts) in enumerate(zip(confusion.names, confusion.matrix[:-1], strict=True)):
        predicted = counts[:-1]
        for column, count in enumerate(predicted):
            if column != row and count:
                pairs.append((truth, confusion.names[column], count, count / sum(predicted)))
    return sorted(pairs, key=lambda pair: -pair[2])


def _signed(gain: float) -> str:
    return f"{gain:+.3f}" if abs(gain) >= SHOWN else "0"
