// The panel beside the frames: why a track is what it is in a frame, what is wrong there.
"use strict";

(function () {
  const element = Report.element,
    fixed = Report.fixed;
  const LIFE = ["born", "lost", "ended", "recalled", "corrected", "reported", "dropped"];
  const STATES = {
    ".": "not there",
    s: "shown",
    d: "detected",
    p: "predicted, not detected",
    h: "hidden",
    l: "lost",
    c: "predicted, but not reported",
  };
  const REASONS = {
    taken: "which has a better match already",
    class: "but its class is another",
    poor: "too little for a match",
  };

  function frameButton(frame, calls) {
    return element("button", { type: "button", class: "frame", onclick: () => calls.seek(frame) }, String(frame));
  }

  // One decision: the rule in words and the figures behind it.
  function decision(model, told) {
    const figures = [];
    if (told[4] !== null) figures.push("affinity " + fixed(told[4]));
    if (told[5] !== null) figures.push("score " + fixed(told[5]));
    if (told[3] !== null) figures.push("detection " + told[3]);
    return element(
      "div",
      { class: "decision" },
      element("p", {}, model.data.rules[told[2]]),
      figures.length ? element("p", { class: "figures" }, figures.join(" · ")) : null,
    );
  }

  function about(model, error) {
    if (error.kind === "switch") {
      return [
        "switch: ",
        model.title("truths", error.truth),
        " goes from ",
        model.title("tracks", error.before),
        " to ",
        model.title("tracks", error.track),
      ];
    }
    const miss = error.kind === "miss";
    const words = [
      miss ? "missed: " : "false positive: ",
      miss ? model.title("truths", error.truth) : model.title("tracks", error.track),
    ];
    if (error.nearest !== null && error.why !== "nothing") {
      words.push(
        "; nearest ",
        model.title(miss ? "tracks" : "truths", error.nearest),
        " at IoU " + fixed(error.iou, 2) + ", " + REASONS[error.why],
      );
    } else {
      words.push(miss ? "; no track is there" : "; nothing is there");
    }
    return words;
  }

  Report.aboutError = about;

  Report.why = function (model, calls) {
    const why = element("section", { class: "card why", "aria-live": "polite" });
    const errors = element("section", { class: "card errors-here" });
    const node = element("aside", { class: "side" }, why, model.data.errors ? errors : null);

    function drawWhy() {
      const chosen = model.chosen,
        frame = model.frame;
      why.replaceChildren(element("h2", {}, "Why?"));
      if (chosen === null) return drawFrame();
      const entry = model.entry(chosen.kind, chosen.index);
      const title = element("h3", {}, chip(entry.colour), model.title(chosen.kind, chosen.index));
      if (entry.kind)
        title.append(element("span", { class: "badge", title: Report.kindMeanings[entry.kind] }, entry.kind));
      if (entry.crowd) title.append(element("span", { class: "badge" }, "crowd"));
      why.append(title);
      if (chosen.kind === "truths") return drawTruth(entry, frame);
      why.append(element("p", { class: "faint" }, "Frame " + frame + ": " + STATES[entry.states[frame]]));
      const here = entry.told.filter((told) => told[0] === frame && !["reported", "dropped"].includes(told[1]));
      here.forEach((told) => why.append(decision(model, told)));
      errorsHere(chosen).forEach((error) => why.append(element("p", { class: "bad" }, ...about(model, error))));
      if (!here.length) {
        why.append(
          element(
            "p",
            { class: "note" },
            model.data.events
              ? "Nothing was decided about it in this frame."
              : "This run kept no events: nobody knows why.",
          ),
        );
      }
      const life = entry.told.filter((told) => LIFE.includes(told[1]));
      if (life.length) {
        why.append(element("h4", {}, "Its life"));
        const list = element("ul", { class: "life" });
        life.forEach((told) => list.append(element("li", {}, frameButton(told[0], calls), decision(model, told))));
        why.append(list);
      }
    }

    function chip(colour) {
      const made = element("span", { class: "chip" });
      made.style.background = colour;
      return made;
    }

    function errorsHere(chosen) {
      return model.data.errors
        ? model
            .errorsOf(chosen.kind, chosen.index)
            .filter((error) => error.first <= model.frame && model.frame <= error.last)
        : [];
    }

    function drawTruth(entry, frame) {
      const match = entry.masks[frame] === null ? null : entry.matches[frame];
      const line = element("p", { class: "faint" }, "Frame " + frame + ": ");
      if (match === null) line.append("not visible");
      else if (match < 0) line.append("missed");
      else line.append("matched with ", model.title("tracks", match));
      why.append(line);
      errorsHere(model.chosen).forEach((error) => why.append(element("p", { class: "bad" }, ...about(model, error))));
      if (entry.partner >= 0) {
        why.append(
          element(
            "p",
            { class: "note" },
            "Over the whole video it is ",
            model.title("tracks", entry.partner),
            "'s, by IDF1's matching.",
          ),
        );
      }
      if (match !== null && match < 0) drawRefused(frame);
    }

    function drawFrame() {
      why.append(
        element("p", { class: "note" }, "Click a row, a mask, a birth or an end: here stands the decision behind it."),
      );
      drawRefused(model.frame);
    }

    function drawRefused(frame) {
      const refused = model.data.refused.filter((told) => told[0] === frame);
      if (!refused.length) return;
      why.append(element("h4", {}, "Detections of frame " + frame + " that started no track"));
      refused.forEach((told) => why.append(decision(model, told)));
    }

    function drawErrors() {
      const found = model.errors();
      errors.replaceChildren(
        element("h2", {}, "Errors ", element("span", { class: "faint" }, String(found.length))),
        element("p", { class: "note" }, "Frame by frame within a class at IoU 0.5, as CLEAR and IDF1 match."),
      );
      const list = element("ol", { class: "error-list" });
      found.forEach(function (error) {
        const frames = error.first === error.last ? String(error.first) : error.first + "–" + error.last;
        const button = element(
          "button",
          { type: "button", class: "error", onclick: () => calls.error(error) },
          element("span", { class: "frame" }, frames),
          element("span", {}, ...about(model, error)),
        );
        button.classList.toggle("here", error.first <= model.frame && model.frame <= error.last);
        list.append(element("li", {}, button));
      });
      errors.append(list);
    }

    // Brings an error of the list into sight, within its card.
    function showError(error) {
      const button = errors.querySelectorAll(".error")[model.errors().indexOf(error)];
      if (button) errors.scrollTop = button.offsetTop - errors.clientHeight / 2;
    }

    function drawHere() {
      const found = model.errors();
      errors.querySelectorAll(".error").forEach((button, index) => {
        const error = found[index];
        button.classList.toggle("here", error.first <= model.frame && model.frame <= error.last);
      });
    }

    return { node, drawWhy, drawErrors, drawHere, showError };
  };
})();
