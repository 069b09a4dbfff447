// The page of one video: frames, timeline and panel around one model.
"use strict";

(function () {
  const element = Report.element;
  let leave = null;
  let keys = null;

  Report.showVideo = function (place, id, start, failed) {
    Report.leaveVideo();
    let left = false;
    leave = () => {
      left = true;
    };
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
    const model = Report.model(data);
    model.frame = Math.max(0, Math.min(data.length - 1, start.frame || 0));
    const played = element(
      "button",
      { type: "button", class: "main round", "aria-label": "play" },
      Report.icon("play"),
    );
    const where = element("output", { class: "where" });
    const stage = Report.stage(model, {
      frame: reached,
      picked: (kind, index) => (index === null ? isolate(null) : pick(kind, index, null)),
      playing: (on) => {
        played.replaceChildren(Report.icon(on ? "pause" : "play"));
        played.setAttribute("aria-label", on ? "pause" : "play");
        if (!on) {
          side.drawWhy();
          corrections.draw();
        }
      },
    });
    const timeline = Report.timeline(model, { picked: pick, seek: stage.seek });
    const side = Report.why(model, { seek: stage.seek, error: goTo });
    const corrections = Report.corrections(model);
    side.node.append(corrections.node);
    const filters = Report.filterBar(model, changed);
    played.addEventListener("click", () => stage.setPlaying(!stage.isPlaying()));

    const step = (shape, label, call) =>
      element(
        "button",
        { type: "button", class: "round", "aria-label": label, title: label, onclick: call },
        Report.icon(shape),
      );
    const check = (label, on, call) =>
      element(
        "label",
        {},
        element("input", { type: "checkbox", checked: on, onchange: (event) => call(event.target.checked) }),
        label,
      );
    const truthBox = data.truths ? check("ground truth", true, stage.showTruth) : null;
    const transport = element(
      "div",
      { class: "transport" },
      data.errors ? step("errorBack", "previous error (p)", () => nextError(-1)) : null,
      step("back", "frame back (←)", () => stage.seek(model.frame - 1)),
      played,
      step("on", "frame on (→)", () => stage.seek(model.frame + 1)),
      data.errors ? step("errorOn", "next error (n)", () => nextError(1)) : null,
      where,
      Report.choice(
        "speed",
        [
          ["0.25", "¼ ×"],
          ["0.5", "½ ×"],
          ["1", "1 ×"],
          ["2", "2 ×"],
        ],
        (value) => {
          model.speed = Number(value);
          stage.setSpeed();
        },
      ),
      check("fill", true, (on) => {
        model.filled = on;
        stage.draw();
      }),
      check("labels", true, (on) => {
        model.labels = on;
        stage.draw();
      }),
      truthBox,
    );
    transport.querySelector("select").value = "1";

    const facts = [data.width + "×" + data.height, Report.counted(data.length, "frame"), "id " + data.id];
    const title = element(
      "div",
      { class: "heading" },
      element("nav", {}, link(-1, "‹"), element("a", { href: "#" }, "all videos"), link(1, "›")),
      element("h1", {}, Report.name(data.name)),
      element("span", { class: "faint" }, facts.join(" · ")),
    );
    if (data.lost.length)
      title.append(element("span", { class: "bad" }, Report.counted(data.lost.length, "frame") + " could not be read"));
    const about = data.notes.length
      ? element(
          "details",
          { class: "notes" },
          element("summary", {}, Report.counted(data.notes.length, "note") + " of the run"),
          element("ul", {}, ...data.notes.map((note) => element("li", {}, note))),
        )
      : null;

    place.replaceChildren(
      title,
      element(
        "div",
        { class: "work" },
        element(
          "div",
          { class: "left" },
          stage.node,
          transport,
          filters.node,
          timeline.node,
          Report.legend(model),
          about,
        ),
        side.node,
      ),
    );
    document.title = data.name + " · " + Report.index.title;

    function link(by, sign) {
      const order = Report.videoOrder || [],
        at = order.indexOf(data.id) + by;
      if (order.indexOf(data.id) < 0 || at < 0 || at >= order.length) return element("span", { class: "faint" }, sign);
      return element(
        "a",
        { href: "#video=" + order[at], "aria-label": by < 0 ? "previous video" : "next video", "data-by": by },
        sign,
      );
    }

    function reached(frame) {
      model.frame = frame;
      where.textContent = "frame " + frame + " / " + (data.length - 1);
      timeline.moveTo(frame);
      if (stage.isPlaying()) return;
      side.drawWhy();
      corrections.draw();
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
      corrections.draw();
    }

    function goTo(error) {
      const kind = error.kind === "miss" ? "truths" : "tracks";
      model.chosen = { kind: kind, index: error.kind === "miss" ? error.truth : error.track };
      stage.setPlaying(false);
      stage.seek(error.first);
      timeline.mark();
      side.showError(error);
    }

    function nextError(by) {
      const starts = model.errors(),
        ahead = starts.filter((error) => (by > 0 ? error.first > model.frame : error.first < model.frame));
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
    Report.edits.onChange(corrections.draw);
    document.addEventListener("themechange", onTheme);
    changed();
    reached(model.frame);
  }
})();
