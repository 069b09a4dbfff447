// What a video's page knows and shows: its rows, filters, what is chosen, and the errors that are left.
"use strict";

(function () {
  const element = Report.element;
  // Kinds of error frame by frame, beside those of whole tracks.
  const FRAME_KINDS = ["switch", "miss", "false positive"];

  // Letters for ground truths, A to Z, then AA and on, so that none is taken for the number of a track.
  function letters(index) {
    let text = "";
    for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
      text = String.fromCharCode(65 + ((rest - 1) % 26)) + text;
    }
    return text;
  }

  function trackEntries(data) {
    const found = data.tracks.map((track, index) =>
      Object.assign({}, track, {
        index: index,
        short: String(track.number),
        name: Report.className(track.category),
        shownFrames: track.masks.filter((mask) => mask !== null).length,
      }),
    );
    found.forEach((entry) => {
      entry.about =
        "identity " +
        entry.number +
        ", " +
        Report.isolated(entry.name) +
        ", score " +
        entry.score.toFixed(2) +
        ", " +
        Report.counted(entry.shownFrames, "frame") +
        (entry.kind ? ", " + entry.kind : "");
    });
    return found.sort((one, other) => one.number - other.number);
  }

  function truthEntries(data) {
    return (data.truths || []).map((truth, index) => {
      const frames = truth.masks.filter((mask) => mask !== null).length;
      const name = Report.className(truth.category);
      return Object.assign({}, truth, {
        index: index,
        short: letters(index),
        name: name,
        shownFrames: frames,
        colour: truth.partner >= 0 ? data.tracks[truth.partner].colour : "#b8bec6",
        about:
          "ground truth " +
          letters(index) +
          ", " +
          Report.isolated(name) +
          ", " +
          Report.counted(frames, "frame") +
          (truth.kind ? ", " + truth.kind : ""),
      });
    });
  }

  // Tracks that are not reported have no masks here; what they were says each frame's event.
  function droppedEntries(data) {
    const states = { born: "d", matched: "d", predicted: "p", hidden: "h" };
    return data.dropped.map((told, index) => {
      const letter = new Array(data.length).fill("."),
        scores = new Array(data.length).fill(null);
      told.forEach((one) => {
        if (states[one[1]] && one[0] >= 0 && one[0] < data.length) {
          letter[one[0]] = states[one[1]];
          scores[one[0]] = one[5] === null ? null : Math.round(100 * one[5]);
        }
      });
      const frames = letter.filter((state) => state === "d" || state === "p").length;
      return {
        index: index,
        short: "–",
        name: Report.counted(frames, "frame"),
        category: null,
        colour: "#8a929c",
        told: told,
        states: letter.join(""),
        scores: scores,
        masks: new Array(data.length).fill(null),
        shownFrames: frames,
        about: "track that is not reported, " + Report.counted(frames, "frame"),
      };
    });
  }

  Report.model = function (data) {
    const lists = { tracks: trackEntries(data), truths: truthEntries(data), dropped: droppedEntries(data) };
    const byIndex = {};
    Object.keys(lists).forEach((kind) => {
      byIndex[kind] = new Map(lists[kind].map((entry) => [entry.index, entry]));
    });
    const own = { tracks: new Map(), truths: new Map(), dropped: new Map() };
    (data.errors || []).forEach((error) => {
      [
        ["tracks", error.track],
        ["tracks", error.before],
        ["truths", error.truth],
      ].forEach((pair) => {
        if (pair[1] === null) return;
        if (!own[pair[0]].has(pair[1])) own[pair[0]].set(pair[1], []);
        own[pair[0]].get(pair[1]).push(error);
      });
    });

    const model = {
      data,
      frame: 0,
      chosen: null,
      isolated: null,
      filled: true,
      labels: true,
      speed: 1,
      filters: { class: "", score: Report.index.least_score, length: 1, kind: "" },
      entries: (kind) => lists[kind],
      entry: (kind, index) => byIndex[kind].get(index),
      errorsOf: (kind, index) => own[kind].get(index) || [],
      isChosen: (kind, index) => model.chosen !== null && model.chosen.kind === kind && model.chosen.index === index,
      isIsolated: (kind, index) =>
        model.isolated !== null && model.isolated.kind === kind && model.isolated.index === index,
      isListed: function (kind, index) {
        const entry = model.entry(kind, index),
          filters = model.filters;
        if (kind === "dropped") return true;
        if (filters.class && entry.category !== filters.class) return false;
        if (entry.shownFrames < filters.length) return false;
        if (kind === "tracks" && entry.score < filters.score) return false;
        if (!filters.kind) return true;
        if (FRAME_KINDS.includes(filters.kind))
          return model.errorsOf(kind, index).some((error) => error.kind === filters.kind);
        return entry.kind === filters.kind;
      },
      // With an isolated identity also what it was matched with, on the other side.
      isShown: function (kind, index) {
        if (model.isolated === null) return model.isListed(kind, index);
        if (model.isIsolated(kind, index)) return true;
        if (kind === model.isolated.kind || kind === "dropped") return false;
        const entry = model.entry(model.isolated.kind, model.isolated.index);
        return Boolean(entry.matches) && entry.matches.includes(index);
      },
      errors: function () {
        return (data.errors || []).filter((error) => {
          if (FRAME_KINDS.includes(model.filters.kind) && error.kind !== model.filters.kind) return false;
          const kind = error.kind === "miss" ? "truths" : "tracks";
          const index = error.kind === "miss" ? error.truth : error.track;
          if (!model.isListed(kind, index)) return false;
          if (model.isolated === null) return true;
          return model.errorsOf(model.isolated.kind, model.isolated.index).includes(error);
        });
      },
      title: function (kind, index) {
        const entry = model.entry(kind, index);
        if (kind === "dropped") return element("span", {}, "a track that is not reported");
        return element("span", { class: "title" }, element("b", {}, entry.short), " ", Report.name(entry.name));
      },
      // How a mask is drawn: colour, label, whether it is only predicted, and what is wrong with it.
      look: function (kind, index, frame) {
        const entry = model.entry(kind, index);
        const look = {
          colour: entry.colour,
          label: entry.short + " " + Report.isolated(shortened(entry.name)),
          predicted: false,
          wrong: "",
        };
        if (kind === "tracks") look.predicted = entry.states[frame] === "p";
        if (!entry.matches) return look;
        const here = model
          .errorsOf(kind, index)
          .find(
            (error) =>
              error.first <= frame &&
              frame <= error.last &&
              (error.kind !== "switch" || kind === "truths" || error.track === index),
          );
        if (!here) return look;
        if (here.kind === "switch") {
          look.wrong =
            kind === "truths"
              ? "switch from " + model.entry("tracks", here.before).short
              : "switch on " + letters(here.truth);
        } else {
          look.wrong = here.kind === "miss" ? "missed" : "false";
        }
        return look;
      },
    };
    return model;
  };

  function shortened(text) {
    const signs = Array.from(text.replace(/\s+/g, " "));
    return signs.length > 24 ? signs.slice(0, 23).join("") + "…" : signs.join("");
  }

  Report.frameKinds = FRAME_KINDS;
})();
