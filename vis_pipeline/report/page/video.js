// The page of one video: frames, timeline and panel around one model.
"use strict";

(function () {
  const element = Report.element;
  const FRAME_KINDS = ["switch", "miss", "false positive"];
  let leave = null;
  let keys = null;

  // Letters for ground truths, A to Z, then AA and on, so that none is taken for the number of a track.
  function letters(index) {
    let text = "";
    for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
      text = String.fromCharCode(65 + (rest - 1) % 26) + text;
    }
    return text;
  }

  function trackEntries(data) {
    const found = data.tracks.map((track, index) => Object.assign({}, track, {
      index: index,
      short: String(track.number),
      name: Report.className(track.category),
      shownFrames: track.masks.filter((mask) => mask !== null).length,
    }));
    found.forEach((entry) => {
      entry.about = "identity " + entry.number + ", " + entry.name + ", score " + entry.score.toFixed(2) + ", " +
        Report.counted(entry.shownFrames, "frame") + (entry.kind ? ", " + entry.kind : "");
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
        about: "ground truth " + letters(index) + ", " + name + ", " + Report.counted(frames, "frame") + (truth.kind ? ", " + truth.kind : ""),
      });
    });
  }

  // Tracks that are not reported have no masks here; what they were says each frame's event.
  function droppedEntries(data) {
    const states = { born: "d", matched: "d", predicted: "p", hidden: "h" };
    return data.dropped.map((told, index) => {
      const letter = new Array(data.length).fill("."), scores = new Array(data.length).fill(null);
      told.forEach((one) => {
        if (states[one[1]] && one[0] >= 0 && one[0] < data.length) {
          letter[one[0]] = states[one[1]];
          scores[one[0]] = one[5] === null ? null : Math.round(100 * one[5]);
        }
      });
      const frames = letter.filter((state) => state === "d" || state === "p").length;
      return {
        index: index, short: "–", name: Report.counted(frames, "frame"), category: null, colour: "#8a929c", told: told,
        states: letter.join(""), scores: scores, masks: new Array(data.length).fill(null), shownFrames: frames,
        about: "track that is not reported, " + Report.counted(frames, "frame"),
      };
    });
  }

  function makeModel(data) {
    const lists = { tracks: trackEntries(data), truths: truthEntries(data), dropped: droppedEntries(data) };
    const byIndex = {};
    Object.keys(lists).forEach((kind) => { byIndex[kind] = new Map(lists[kind].map((entry) => [entry.index, entry])); });
    const own = { tracks: new Map(), truths: new Map(), dropped: new Map() };
    (data.errors || []).forEach((error) => {
      [["tracks", error.track], ["tracks", error.before], ["truths", error.truth]].forEach((pair) => {
        if (pair[1] === null) return;
        if (!own[pair[0]].has(pair[1])) own[pair[0]].set(pair[1], []);
        own[pair[0]].get(pair[1]).push(error);
      });
    });

    const model = {
      data, frame: 0, chosen: null, isolated: null, filled: true, labels: true, speed: 1,
      filters: { class: "", score: Report.index.least_score, length: 1, kind: "" },
      entries: (kind) => lists[kind],
      entry: (kind, index) => byIndex[kind].get(index),
      errorsOf: (kind, index) => own[kind].get(index) || [],
      isChosen: (kind, index) => model.chosen !== null && model.chosen.kind === kind && model.chosen.index === index,
      isIsolated: (kind, index) => model.isolated !== null && model.isolated.kind === kind && model.isolated.index === index,
      isListed: function (kind, index) {
        const entry = model.entry(kind, index), filters = model.filters;
        if (kind === "dropped") return true;
        if (filters.class && entry.category !== filters.class) return false;
        if (entry.shownFrames < filters.length) return false;
        if (kind === "tracks" && entry.score < filters.score) return false;
        if (!filters.kind) return true;
        if (FRAME_KINDS.includes(filters.kind)) return model.errorsOf(kind, index).some((error) => error.kind === filters.kind);
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
        const look = { colour: entry.colour, label: entry.short + " " + shortened(entry.name), predicted: false, wrong: "" };
        if (kind === "tracks") look.predicted = entry.states[frame] === "p";
        if (!entry.matches) return look;
        const here = model.errorsOf(kind, index).find((error) => error.first <= frame && frame <= error.last &&
          (error.kind !== "switch" || kind === "truths" || error.track === index));
        if (!here) return look;
        if (here.kind === "switch") {
          look.wrong = kind === "truths" ? "switch from " + model.entry("tracks", here.before).short : "switch on " + letters(here.truth);
        } else {
          look.wrong = here.kind === "miss" ? "missed" : "false";
        }
        return look;
      },
    };
    return model;
  }

  function shortened(text) {
    const signs = Array.from(text.replace(/\s+/g, " "));
    return signs.length > 24 ? signs.slice(0, 23).join("") + "…" : signs.join("");
  }

  function choice(label, values, call) {
    const select = element("select", { "aria-label": label, onchange: (event) => call(event.target.value) });
    values.forEach((value) => select.append(element("option", { value: value[0] }, value[1])));
    return select;
  }

  function filterBar(model, changed) {
    const data = model.data, all = model.entries("tracks").concat(model.entries("truths"));
    const count = element("span", { class: "faint", role: "status" });
    const set = (name) => (value) => {
      model.filters[name] = value;
      changed();
    };
    const ids = [...new Set(all.map((entry) => entry.category))];
    const score = element("input", {
      type: "range", min: 0, max: 1, step: 0.01, value: model.filters.score, "aria-label": "least score",
      oninput: (event) => {
        shownScore.textContent = Number(event.target.value).toFixed(2);
        set("score")(Number(event.target.value));
      },
    });
    const shownScore = element("output", {}, Number(model.filters.score).toFixed(2));
    const length = element("input", {
      type: "number", min: 1, max: data.length, value: 1, "aria-label": "least length in frames",
      oninput: (event) => set("length")(Number(event.target.value) || 1),
    });
    const bar = element("div", { class: "filters" },
      choice("class", [["", "all classes"]].concat(ids.map((id) => [id, Report.className(id)])), set("class")),
      element("label", {}, "score ≥ ", score, shownScore), element("label", {}, "frames ≥ ", length));
    if (data.errors) {
      const kinds = FRAME_KINDS.concat([...new Set(all.map((entry) => entry.kind).filter(Boolean))].sort());
      bar.append(choice("kind of error", [["", "all errors"]].concat(kinds.map((kind) => [kind, kind])), set("kind")));
    }
    bar.append(count);
    return {
      node: bar,
      tell: function () {
        const listed = model.entries("tracks").filter((entry) => model.isListed("tracks", entry.index)).length;
        count.textContent = listed + " of " + Report.counted(data.tracks.length, "identity").replace("identitys", "identities");
      },
    };
  }

  function legend(model) {
    const list = element("p", { class: "legend" });
    const entry = (className, text) => list.append(element("span", {}, element("i", { class: className }), text));
    if (model.data.events) {
      entry("detected", "detected; the fainter, the lower its score");
      entry("predicted", "predicted");
      entry("hidden", "hidden or lost");
      entry("birth", "birth, end");
    }
    if (model.data.errors) {
      entry("false", "false");
      entry("missed", "missed");
      entry("switch", "switch");
    }
    return list;
  }

  Report.showVideo = function (place, id, start, failed) {
    Report.leaveVideo();
    let left = false;
    leave = () => { left = true; };
    place.replaceChildren(element("p", { class: "faint" }, "Loading …"));
    Report.loadVideo(id, function (data) {
      if (left) return;
      if (!data) return failed("There are no data of video " + id + " beside this page.");
      build(place, data, start);
    });
  };

  Report.leaveVideo = function () {
    if (leave) leave();
    leave = keys = null;
  };

  Report.videoKey = (event) => keys !== null && keys(event);

  function build(place, data, start) {
    const model = makeModel(data);
    model.frame = Math.max(0, Math.min(data.length - 1, start.frame || 0));
    const played = element("button", { type: "button", class: "main round", "aria-label": "play" }, Report.icon("play"));
    const where = element("output", { class: "where" });
    const stage = Report.stage(model, {
      frame: reached,
      picked: (kind, index) => index === null ? isolate(null) : pick(kind, index, null),
      playing: (on) => {
        played.replaceChildren(Report.icon(on ? "pause" : "play"));
        played.setAttribute("aria-label", on ? "pause" : "play");
        if (!on) {
          side.drawWhy();
          side.drawCorrections();
        }
      },
    });
    const timeline = Report.timeline(model, { picked: pick, seek: stage.seek });
    const side = Report.why(model, { seek: stage.seek, error: goTo });
    const filters = filterBar(model, changed);
    played.addEventListener("click", () => stage.setPlaying(!stage.isPlaying()));

    const step = (shape, label, call) => element("button", { type: "button", class: "round", "aria-label": label, title: label, onclick: call }, Report.icon(shape));
    const check = (label, on, call) => element("label", {}, element("input", { type: "checkbox", checked: on, onchange: (event) => call(event.target.checked) }), label);
    const truthBox = data.truths ? check("ground truth", true, stage.showTruth) : null;
    const transport = element("div", { class: "transport" },
      data.errors ? step("errorBack", "previous error (p)", () => nextError(-1)) : null,
      step("back", "frame back (←)", () => stage.seek(model.frame - 1)), played,
      step("on", "frame on (→)", () => stage.seek(model.frame + 1)),
      data.errors ? step("errorOn", "next error (n)", () => nextError(1)) : null, where,
      choice("speed", [["0.25", "¼ ×"], ["0.5", "½ ×"], ["1", "1 ×"], ["2", "2 ×"]], (value) => {
        model.speed = Number(value);
        stage.setSpeed();
      }),
      check("fill", true, (on) => { model.filled = on; stage.draw(); }),
      check("labels", true, (on) => { model.labels = on; stage.draw(); }), truthBox);
    transport.querySelector("select").value = "1";

    const facts = [data.width + "×" + data.height, Report.counted(data.length, "frame"), "id " + data.id];
    const title = element("div", { class: "heading" },
      element("nav", {}, link(-1, "‹"), element("a", { href: "#" }, "all videos"), link(1, "›")),
      element("h1", {}, Report.name(data.name)), element("span", { class: "faint" }, facts.join(" · ")));
    if (data.lost.length) title.append(element("span", { class: "bad" }, Report.counted(data.lost.length, "frame") + " could not be read"));
    const about = data.notes.length ? element("details", { class: "notes" }, element("summary", {}, Report.counted(data.notes.length, "note") + " of the run"),
      element("ul", {}, ...data.notes.map((note) => element("li", {}, note)))) : null;

    place.replaceChildren(title, element("div", { class: "work" },
      element("div", { class: "left" }, stage.node, transport, filters.node, timeline.node, legend(model), about), side.node));
    document.title = data.name + " · " + Report.index.title;

    function link(by, sign) {
      const order = Report.videoOrder || [], at = order.indexOf(data.id) + by;
      if (order.indexOf(data.id) < 0 || at < 0 || at >= order.length) return element("span", { class: "faint" }, sign);
      return element("a", { href: "#video=" + order[at], "aria-label": by < 0 ? "previous video" : "next video", "data-by": by }, sign);
    }

    function reached(frame) {
      model.frame = frame;
      where.textContent = "frame " + frame + " / " + (data.length - 1);
      timeline.moveTo(frame);
      if (stage.isPlaying()) return;
      side.drawWhy();
      side.drawCorrections();
      if (data.errors) side.drawHere();
      Report.remember(data.id, frame);
    }

    function changed() {
      filters.tell();
      timeline.draw();
      timeline.mark();
      stage.draw();
      if (data.errors) side.drawErrors();
    }

    function pick(kind, index, frame) {
      model.chosen = { kind: kind, index: index };
      if (frame !== null) stage.seek(frame);
      if (kind === "dropped") {
        side.drawWhy();
        timeline.mark();
      } else {
        isolate({ kind: kind, index: index });
      }
    }

    function isolate(what) {
      model.isolated = what;
      if (what === null) model.chosen = null;
      changed();
      side.drawWhy();
      side.drawCorrections();
    }

    function goTo(error) {
      const kind = error.kind === "miss" ? "truths" : "tracks";
      model.chosen = { kind: kind, index: error.kind === "miss" ? error.truth : error.track };
      stage.setPlaying(false);
      stage.seek(error.first);
      timeline.mark();
    }

    function nextError(by) {
      const starts = model.errors(), ahead = starts.filter((error) => by > 0 ? error.first > model.frame : error.first < model.frame);
      if (ahead.length) goTo(by > 0 ? ahead[0] : ahead[ahead.length - 1]);
    }

    function onTheme() {
      timeline.draw();
    }

    function quit() {
      stage.leave();
      timeline.leave();
      document.removeEventListener("themechange", onTheme);
      Report.edits.onChange(() => {});
    }

    keys = function (event) {
      const big = event.shiftKey ? 10 : 1;
      const actions = {
        " ": () => stage.setPlaying(!stage.isPlaying()),
        ArrowLeft: () => stage.seek(model.frame - big),
        ArrowRight: () => stage.seek(model.frame + big),
        Home: () => stage.seek(0),
        End: () => stage.seek(data.length - 1),
        n: () => nextError(1),
        p: () => nextError(-1),
        Escape: () => isolate(null),
        g: () => truthBox && truthBox.querySelector("input").click(),
        "[": () => follow(-1),
        "]": () => follow(1),
      };
      if (!actions[event.key]) return false;
      actions[event.key]();
      return true;
    };

    function follow(by) {
      const to = place.querySelector('nav a[data-by="' + by + '"]');
      if (to) to.click();
    }

    leave = quit;
    Report.edits.onChange(side.drawCorrections);
    document.addEventListener("themechange", onTheme);
    changed();
    reached(model.frame);
  }
})();
