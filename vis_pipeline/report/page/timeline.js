// The identity timeline: a row a track, in step with the frames.
"use strict";

(function () {
  const element = Report.element;
  const BAR = 14,
    THIN = 6,
    LINE = 2,
    ROW = 26,
    AXIS = 30;

  // Frames from `first` on, while they are alike: calls `call(first, beyond, value)` for each stretch.
  function stretches(values, call) {
    let first = 0;
    for (let at = 1; at <= values.length; at++) {
      if (at === values.length || values[at] !== values[first]) {
        call(first, at, values[first]);
        first = at;
      }
    }
  }

  // `calls`: picked(kind, index, frame or null), seek(frame).
  Report.timeline = function (model, calls) {
    const data = model.data,
      length = data.length;
    const axis = element("canvas", {});
    const slider = element(
      "div",
      {
        class: "axis",
        role: "slider",
        tabindex: 0,
        "aria-label": "frame",
        "aria-valuemin": 0,
        "aria-valuemax": length - 1,
      },
      axis,
    );
    const head = element("div", { class: "line" }, element("div", { class: "label faint" }, "identities"), slider);
    const playhead = element("div", { class: "playhead" });
    const node = element("section", { class: "timeline card", "aria-label": "identity timeline" }, head);
    const rows = [];

    model.entries("tracks").forEach((entry) => addRow("tracks", entry));
    if (data.truths) {
      node.append(
        element(
          "h3",
          { class: "group" },
          "ground truth ",
          element("span", { class: "faint" }, "in the colour of the track that each mask is matched with"),
        ),
      );
      model.entries("truths").forEach((entry) => addRow("truths", entry));
    }
    if (data.dropped.length) {
      const folded = element(
        "details",
        { class: "dropped" },
        element("summary", {}, Report.counted(data.dropped.length, "track") + " not reported"),
      );
      node.append(folded);
      model.entries("dropped").forEach((entry) => addRow("dropped", entry, folded));
      folded.addEventListener("toggle", draw);
    }
    node.append(playhead);

    function addRow(kind, entry, parent) {
      const canvas = element("canvas", { "aria-hidden": "true" });
      const strip = element("div", { class: "strip" }, canvas);
      const chip = element("span", { class: "chip" });
      chip.style.background = entry.colour;
      const label = element(
        "div",
        { class: "label" },
        chip,
        element("b", {}, entry.short),
        entry.category === null ? element("span", {}, entry.name) : Report.name(entry.name),
      );
      if (entry.kind)
        label.append(
          element(
            "span",
            {
              class: entry.kind === "loose mask" ? "mark mild" : "mark",
              title: entry.kind + ": " + (Report.kindMeanings[entry.kind] || ""),
            },
            "!",
          ),
        );
      if (entry.score !== undefined)
        label.append(element("span", { class: "faint score" }, Report.fixed(entry.score, 2)));
      const row = element(
        "div",
        {
          class: "line row " + kind,
          role: "button",
          tabindex: 0,
          "aria-pressed": "false",
          "aria-label": entry.about,
          "data-kind": kind,
          "data-index": entry.index,
          "data-row": entry.short,
        },
        label,
        strip,
      );
      row.addEventListener("click", function (event) {
        const inside = strip.contains(event.target);
        calls.picked(kind, entry.index, inside ? frameAt(strip, event.clientX) : null);
      });
      row.addEventListener("keydown", function (event) {
        if (event.key === "Enter") {
          calls.picked(kind, entry.index, null);
          event.preventDefault();
        }
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
          const seen = rows.filter((each) => !each.row.hidden && each.row.offsetParent);
          const at = seen.findIndex((each) => each.row === row) + (event.key === "ArrowDown" ? 1 : -1);
          if (seen[at]) seen[at].row.focus();
          event.preventDefault();
          event.stopPropagation();
        }
      });
      rows.push({ kind, entry, row, canvas });
      (parent || node).append(row);
    }

    function frameAt(strip, x) {
      const box = strip.getBoundingClientRect();
      return Math.max(0, Math.min(length - 1, Math.floor(((x - box.left) / box.width) * length)));
    }

    slider.addEventListener("pointerdown", function (event) {
      slider.setPointerCapture(event.pointerId);
      calls.seek(frameAt(slider, event.clientX));
    });
    slider.addEventListener("pointermove", function (event) {
      if (event.buttons & 1) calls.seek(frameAt(slider, event.clientX));
    });

    function prepared(canvas, height) {
      const width = canvas.parentElement.clientWidth;
      if (!width) return null;
      canvas.style.height = height + "px";
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
      const context = canvas.getContext("2d");
      context.scale(devicePixelRatio, devicePixelRatio);
      return { context, x: (frame) => (frame / length) * width, width };
    }

    function draw() {
      drawAxis();
      rows.forEach(drawRow);
      moveTo(model.frame);
    }

    function drawAxis() {
      const made = prepared(axis, AXIS);
      if (!made) return;
      const context = made.context;
      context.fillStyle = Report.themed("--bed");
      context.fillRect(0, AXIS - 9, made.width, 4);
      context.font = "11px system-ui, sans-serif";
      context.fillStyle = Report.themed("--faint");
      const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
      const step = steps.find((each) => (each / length) * made.width >= 44) || steps[steps.length - 1];
      for (let frame = 0; frame < length; frame += step) {
        const text = String(frame),
          centre = made.x(frame + 0.5);
        context.fillRect(centre - 0.5, AXIS - 14, 1, 5);
        const left = Math.max(0, Math.min(centre - context.measureText(text).width / 2, made.width - 20));
        context.fillText(text, left, 11);
      }
      context.fillStyle = Report.themed("--lost");
      data.lost.forEach((frame) => context.fillRect(made.x(frame), AXIS - 9, Math.max(1, made.x(1)), 4));
      context.fillStyle = Report.themed("--wrong");
      model.errors().forEach(function (error) {
        const left = made.x(error.first);
        context.fillRect(left, AXIS - 4, Math.max(2, made.x(error.last + 1) - left - 1), 3);
      });
    }

    function drawRow(each) {
      each.row.hidden = !model.isListed(each.kind, each.entry.index);
      if (each.row.hidden) return;
      const made = prepared(each.canvas, ROW);
      if (!made) return;
      const context = made.context,
        middle = ROW / 2;
      context.fillStyle = Report.themed("--bed");
      context.fillRect(0, middle - 1, made.width, LINE);
      if (each.kind === "truths") drawTruth(made, each.entry, middle);
      else drawTrack(made, each.entry, middle);
    }

    function drawTrack(made, entry, middle) {
      const context = made.context;
      const levels = Array.from(entry.states, function (state, frame) {
        const score = entry.scores[frame];
        return state + (score === null || score === undefined ? 100 : Math.round(score / 10) * 10);
      });
      stretches(levels, function (first, beyond, level) {
        const state = level[0],
          left = made.x(first),
          width = Math.max(1, made.x(beyond) - left);
        if (state !== ".") context.clearRect(left, middle - 1, width, LINE);
        context.fillStyle = entry.colour;
        context.globalAlpha = 0.3 + (0.7 * Number(level.slice(1))) / 100;
        if (state === "d" || state === "s") context.fillRect(left, middle - BAR / 2, width, BAR);
        if (state === "p") context.fillRect(left, middle - THIN / 2, width, THIN);
        context.globalAlpha = 1;
        if (state === "h" || state === "l" || state === "c") {
          context.fillStyle = Report.themed("--faint");
          const gap = state === "l" ? 9 : 5;
          for (let x = left + 1; x < left + width - 1; x += gap) context.fillRect(x, middle - 1, 2, LINE);
        }
      });
      context.fillStyle = Report.themed("--ink");
      entry.told.forEach(function (told) {
        if (told[1] === "born") triangle(context, made.x(told[0]), middle, 1);
        if (told[1] === "ended") triangle(context, made.x(told[0] + 1), middle, -1);
        if (told[1] === "recalled") ring(context, made.x(told[0] + 0.5), middle);
      });
      if (!entry.matches) return;
      context.fillStyle = Report.themed("--wrong");
      model.errorsOf("tracks", entry.index).forEach(function (error) {
        if (error.kind === "switch") return diamond(context, made.x(error.first + 0.5), middle);
        const left = made.x(error.first);
        context.fillRect(left, ROW - 4, Math.max(2, made.x(error.last + 1) - left), 3);
      });
    }

    function drawTruth(made, entry, middle) {
      const context = made.context;
      const matches = entry.matches.map((match, frame) => (entry.masks[frame] === null ? null : match));
      stretches(matches, function (first, beyond, match) {
        if (match === null) return;
        const left = made.x(first),
          width = Math.max(1, made.x(beyond) - left);
        if (match >= 0) {
          context.fillStyle = data.tracks[match].colour;
          context.fillRect(left, middle - BAR / 2, width, BAR);
        } else {
          context.clearRect(left, middle - 1, width, LINE);
          context.strokeStyle = Report.themed("--wrong");
          context.lineWidth = 1.5;
          context.strokeRect(left + 1, middle - THIN / 2 - 1, Math.max(1, width - 2), THIN + 2);
        }
      });
      context.fillStyle = Report.themed("--wrong");
      model.errorsOf("truths", entry.index).forEach(function (error) {
        if (error.kind === "switch") diamond(context, made.x(error.first + 0.5), middle);
      });
    }

    function triangle(context, x, middle, side) {
      context.beginPath();
      context.moveTo(x, middle - BAR / 2 - 3);
      context.lineTo(x + side * 6, middle);
      context.lineTo(x, middle + BAR / 2 + 3);
      context.fill();
    }

    function ring(context, x, middle) {
      context.beginPath();
      context.arc(x, middle, 4, 0, 2 * Math.PI);
      context.lineWidth = 2;
      context.strokeStyle = Report.themed("--ink");
      context.stroke();
    }

    function diamond(context, x, middle) {
      context.save();
      context.translate(x, middle);
      context.rotate(Math.PI / 4);
      context.strokeStyle = Report.themed("--card");
      context.lineWidth = 2;
      context.fillRect(-4.5, -4.5, 9, 9);
      context.strokeRect(-4.5, -4.5, 9, 9);
      context.restore();
    }

    function moveTo(frame) {
      const left = slider.offsetLeft,
        width = slider.clientWidth;
      playhead.style.left = left + ((frame + 0.5) / length) * width + "px";
      slider.setAttribute("aria-valuenow", frame);
      slider.setAttribute("aria-valuetext", "frame " + frame + " of " + length);
    }

    function mark() {
      rows.forEach(function (each) {
        const isolated = model.isIsolated(each.kind, each.entry.index);
        each.row.setAttribute("aria-pressed", String(isolated));
        each.row.classList.toggle("chosen", model.isChosen(each.kind, each.entry.index));
        each.row.classList.toggle("dim", model.isolated !== null && !model.isShown(each.kind, each.entry.index));
      });
    }

    const watcher = new ResizeObserver(draw);
    watcher.observe(slider);
    return { node, draw, moveTo, mark, leave: () => watcher.disconnect() };
  };
})();
