// The card of corrections: what can be done to the chosen identity in this frame, and the list so far.
"use strict";

(function () {
  const element = Report.element;

  Report.corrections = function (model) {
    const node = element("section", { class: "card corrections" });
    const video = model.data.id;

    function add(...edits) {
      Report.edits.add(edits.map((edit) => Object.assign({ video: video }, edit)));
    }

    // Of a piece: `{track, part}` with the part left out where it is the track itself.
    function handle(piece) {
      return piece.part ? { track: piece.track, part: piece.part } : { track: piece.track };
    }

    function join(first, second) {
      const edit = { op: "join", tracks: [first.track, second.track] };
      if (first.part || second.part) edit.parts = [first.part, second.part];
      return edit;
    }

    function numbered(track, part) {
      return model.data.tracks[track].number + (part ? ", part " + part : "");
    }

    function draw() {
      const chosen = model.chosen !== null && model.chosen.kind === "tracks" ? model.chosen.index : null;
      node.replaceChildren(element("h2", {}, "Corrections"));
      if (chosen === null) node.append(element("p", { class: "note" }, "Choose an identity to correct it."));
      else node.append(controls(chosen));
      const edits = Report.edits.all();
      if (!edits.length) return;
      node.append(
        element("ol", { class: "edits" }, ...edits.map(line)),
        element(
          "button",
          { type: "button", class: "main", id: "download-edits", onclick: Report.edits.download },
          "Download edits.json",
        ),
        element("p", { class: "note" }, "For vis-pipeline edit. Numbers are those of the run as it is."),
      );
    }

    function line(edit, index) {
      const item = element("li", {}, words(edit));
      if (edit.video === video) {
        const remove = {
          type: "button",
          "aria-label": "remove this correction",
          onclick: () => Report.edits.remove(index),
        };
        item.append(element("button", remove, "×"));
      }
      return item;
    }

    function words(edit) {
      if (edit.video !== video)
        return element("a", { href: "#video=" + edit.video }, edit.op + " in video " + edit.video);
      const who = edit.op === "join" ? null : numbered(edit.track, edit.part);
      if (edit.op === "split") return "split " + who + " at frame " + edit.frame;
      if (edit.op === "delete") return "delete " + who;
      if (edit.op === "rename")
        return element("span", {}, who + " becomes ", Report.name(Report.className(edit.category)));
      const both = edit.tracks.map((track, place) => numbered(track, edit.parts ? edit.parts[place] : 0));
      return "join " + both.join(" and ");
    }

    function controls(index) {
      const frame = model.frame,
        pieces = Report.pieces(model.data, Report.edits.of(video)),
        piece = pieces.at(index, frame);
      if (piece.gone) return element("p", { class: "note" }, "It is deleted; that can be taken back in the list.");
      const others = pieces.left().filter((other) => other !== piece);
      const button = (text, on, edits) =>
        element("button", { type: "button", disabled: !on, onclick: () => add(...edits()) }, text);
      const choice = (label, from, value, text) =>
        element(
          "select",
          { "aria-label": label, disabled: !from.length },
          ...from.map((each) => element("option", { value: value(each) }, text(each))),
        );
      const other = choice(
        "another identity",
        others,
        (each) => others.indexOf(each),
        (each) => numbered(each.track, each.part) + " " + Report.isolated(Report.className(each.category)),
      );
      const otherPiece = () => others[Number(other.value)];
      const categories = Report.index.categories.filter((category) => category[0] !== piece.category);
      const category = choice(
        "new class",
        categories,
        (each) => each[0],
        (each) => each[1],
      );

      // From this frame on each goes on as the other: both are cut, and the pieces change places.
      function swapped() {
        const one = piece,
          two = otherPiece(),
          next = (each) => ({ track: each.track, part: pieces.nextPart(each.track) }),
          ofOne = next(one),
          ofTwo = next(two);
        if (one.track === two.track) ofTwo.part += 1;
        return [
          Object.assign({ op: "split", frame: frame }, handle(one)),
          Object.assign({ op: "split", frame: frame }, handle(two)),
          join(one, ofTwo),
          join(two, ofOne),
        ];
      }
      const swap = button("Swap from here", false, swapped);
      const update = () => {
        swap.disabled = !(others.length && pieces.canSplit(piece, frame) && pieces.canSplit(otherPiece(), frame));
      };
      other.addEventListener("change", update);
      update();

      const who = element("p", {}, "identity " + numbered(piece.track, piece.part));
      const split = () => [Object.assign({ op: "split", frame: frame }, handle(piece))];
      const rename = () => [Object.assign({ op: "rename", category: category.value }, handle(piece))];
      return element(
        "div",
        { class: "controls" },
        who,
        button("Split at frame " + frame, pieces.canSplit(piece, frame), split),
        button("Delete", true, () => [Object.assign({ op: "delete" }, handle(piece))]),
        element("div", { class: "pair" }, button("Rename to", categories.length > 0, rename), category),
        element(
          "div",
          { class: "pair" },
          button("Join with", others.length > 0, () => [join(piece, otherPiece())]),
          other,
        ),
        swap,
      );
    }

    return { node, draw };
  };
})();
