// The frames of a video with masks on a canvas, predictions beside ground truth, always of one and the same frame.
"use strict";

(function () {
  const element = Report.element;
  const WRONG = "#ff2e6d";
  const MOST_KEPT = 600;

  // `model` is that of video.js: data, filters, what is isolated. `calls`: frame(index), picked(kind, index or null).
  Report.stage = function (model, calls) {
    const data = model.data;
    const film = element("video", {
      muted: true,
      playsinline: true,
      preload: "auto",
      "aria-hidden": "true",
      tabindex: -1,
    });
    const panes = [makePane("tracks", "predictions")];
    if (data.truths) panes.push(makePane("truths", "ground truth"));
    const node = element("div", { class: "stage" }, ...panes.map((pane) => pane.node));
    panes[0].node.querySelector(".screen").prepend(film);
    const masks = new Map();
    let shown = 0,
      wanted = null,
      playing = false,
      ready = false,
      gone = false;

    function makePane(kind, title) {
      const canvas = element("canvas", { role: "img", "aria-label": title });
      const screen = element("div", { class: "screen" }, canvas);
      screen.style.aspectRatio = data.width + " / " + data.height;
      // However tall the video, the timeline below stays in sight.
      screen.style.maxWidth = "calc(58vh * " + data.width / data.height + ")";
      const pane = {
        kind,
        canvas,
        node: element("figure", { class: "pane " + kind }, element("figcaption", {}, title), screen),
      };
      canvas.addEventListener("click", function (event) {
        const box = canvas.getBoundingClientRect();
        const x = Math.floor(((event.clientX - box.left) / box.width) * data.width);
        const y = Math.floor(((event.clientY - box.top) / box.height) * data.height);
        const hit = entries(kind).find((entry) => {
          const mask = maskOf(kind, entry.index);
          return mask && Report.masks.has(mask.cut, x, y);
        });
        calls.picked(kind, hit ? hit.index : null);
      });
      return pane;
    }

    // What a pane shows in this frame, the smallest on top.
    function entries(kind) {
      return model
        .entries(kind)
        .filter((entry) => entry.masks[shown] !== null && model.isShown(kind, entry.index))
        .map((entry) => ({ index: entry.index, mask: maskOf(kind, entry.index) }))
        .filter((entry) => entry.mask)
        .sort((one, other) => one.mask.cut.width * one.mask.cut.height - other.mask.cut.width * other.mask.cut.height);
    }

    function maskOf(kind, index) {
      const key = kind + index + ":" + shown;
      if (!masks.has(key)) {
        const text = data[kind][index].masks[shown];
        const cut = text === null ? null : Report.masks.decoded(text, data.height);
        if (masks.size >= MOST_KEPT) masks.delete(masks.keys().next().value);
        masks.set(key, cut && { cut, outline: Report.masks.outline(cut), tints: new Map() });
      }
      return masks.get(key);
    }

    function tint(mask, colour, predicted) {
      const key = colour + predicted;
      if (!mask.tints.has(key)) {
        const period = predicted ? Math.max(6, Math.round(Math.min(data.width, data.height) / 40)) : 0;
        mask.tints.set(key, Report.masks.tinted(mask.cut, colour, 110, period));
      }
      return mask.tints.get(key);
    }

    function draw() {
      if (gone) return;
      panes.forEach(drawPane);
      node.dataset.frame = shown;
    }

    function drawPane(pane) {
      const canvas = pane.canvas;
      const width = Math.round(canvas.clientWidth * devicePixelRatio);
      const height = Math.round(canvas.clientHeight * devicePixelRatio);
      if (!width || !height) return;
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
      }
      const context = canvas.getContext("2d");
      const scale = width / data.width;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = "#303030";
      context.fillRect(0, 0, width, height);
      // An odd side has a column or row more in the video than in the frame.
      const evenWidth = film.videoWidth || 1,
        evenHeight = film.videoHeight || 1;
      if (ready)
        context.drawImage(
          film,
          0,
          0,
          Math.min(evenWidth, data.film[0]),
          Math.min(evenHeight, data.film[1]),
          0,
          0,
          width,
          height,
        );
      if (model.isolated !== null) {
        context.fillStyle = "rgba(0, 0, 0, 0.45)";
        context.fillRect(0, 0, width, height);
      }
      const found = entries(pane.kind).reverse();
      for (const entry of found) drawMask(context, scale, entry, pane.kind);
      if (model.labels) drawLabels(context, scale, width, height, found.reverse(), pane.kind);
    }

    function drawMask(context, scale, entry, kind) {
      const cut = entry.mask.cut,
        look = model.look(kind, entry.index, shown);
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.imageSmoothingEnabled = false;
      if (model.filled) context.drawImage(tint(entry.mask, look.colour, look.predicted), cut.left, cut.top);
      context.lineCap = "square";
      const thin = Math.max(1.5, Math.min(context.canvas.width, context.canvas.height) / 320) / scale;
      if (look.wrong) stroke(context, entry.mask.outline, "#fff", thin * 4.5, []);
      else stroke(context, entry.mask.outline, "rgba(0, 0, 0, 0.55)", thin * 2.4, []);
      const dash = look.predicted ? [thin * 4, thin * 4] : [];
      if (look.wrong) stroke(context, entry.mask.outline, WRONG, thin * 3, []);
      stroke(context, entry.mask.outline, look.colour, thin * 1.2, dash);
    }

    function stroke(context, path, style, width, dash) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.setLineDash(dash);
      context.stroke(path);
    }

    function drawLabels(context, scale, width, height, found, kind) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      const size = Math.max(11, Math.min(16, canvasCss(context.canvas) / 34)) * devicePixelRatio;
      context.font = "600 " + size + "px system-ui, sans-serif";
      context.textBaseline = "middle";
      const taken = [];
      for (const entry of found) {
        const look = model.look(kind, entry.index, shown),
          cut = entry.mask.cut;
        const text = look.label + (look.wrong ? "  " + look.wrong : "");
        const boxWidth = Math.min(context.measureText(text).width + size * 1.1, width),
          boxHeight = size * 1.5;
        let x = (cut.left + cut.width / 2) * scale - boxWidth / 2,
          y = cut.top * scale - boxHeight - size * 0.2;
        x = Math.max(0, Math.min(x, width - boxWidth));
        y = Math.max(0, Math.min(y, height - boxHeight));
        for (let tries = 0; tries < 12; tries++) {
          const other = taken.find(
            (box) => x < box[0] + box[2] && box[0] < x + boxWidth && y < box[1] + boxHeight && box[1] < y + boxHeight,
          );
          if (!other) break;
          y = other[1] + boxHeight + 1;
          if (y > height - boxHeight) y = 0;
        }
        taken.push([x, y, boxWidth]);
        context.fillStyle = look.wrong ? WRONG : "rgba(16, 18, 22, 0.86)";
        context.fillRect(x, y, boxWidth, boxHeight);
        context.fillStyle = look.colour;
        context.fillRect(x, y, size * 0.4, boxHeight);
        context.fillStyle = "#fff";
        context.fillText(text, x + size * 0.7, y + boxHeight / 2, boxWidth - size * 0.9);
      }
    }

    function canvasCss(canvas) {
      return Math.min(canvas.clientWidth, canvas.clientHeight * 1.6);
    }

    function seek(frame) {
      frame = Math.max(0, Math.min(data.length - 1, frame));
      calls.frame(frame);
      if (film.error || !film.duration) {
        shown = frame;
        return draw();
      }
      if (film.seeking) {
        wanted = frame;
        return;
      }
      wanted = null;
      film.currentTime = (frame + 0.5) / data.rate;
      film.dataset.target = frame;
    }

    film.addEventListener("seeked", function () {
      ready = true;
      if (!playing) shown = Number(film.dataset.target || 0);
      draw();
      if (wanted !== null) seek(wanted);
    });
    film.addEventListener("loadeddata", function () {
      ready = true;
      seek(model.frame);
      draw();
    });
    film.addEventListener("error", function () {
      node.append(
        element("p", { class: "bad" }, "The frames cannot be shown: this browser does not play the video file."),
      );
      shown = model.frame;
      draw();
    });
    film.addEventListener("ended", function () {
      setPlaying(false);
      seek(data.length - 1);
    });

    function setPlaying(on) {
      if (playing === on) return;
      playing = on;
      if (on) {
        if (model.frame >= data.length - 1) seek(0);
        film.playbackRate = model.speed;
        film.play().catch(() => setPlaying(false));
        follow();
      } else {
        film.pause();
        if (film.duration && !film.ended) seek(shown);
      }
      calls.playing(on);
    }

    // Redraw with each frame that the video shows, told its time exactly where the browser can.
    function follow() {
      if (!playing || gone) return;
      const step = function (time) {
        if (!playing || gone) return;
        const frame = Math.max(0, Math.min(data.length - 1, time));
        if (!film.seeking && frame !== shown) {
          shown = frame;
          calls.frame(frame);
          draw();
        }
        follow();
      };
      if (film.requestVideoFrameCallback) {
        film.requestVideoFrameCallback((now, about) => step(Math.round(about.mediaTime * data.rate)));
      } else {
        requestAnimationFrame(() => step(Math.floor(film.currentTime * data.rate + 0.001)));
      }
    }

    const watcher = new ResizeObserver(() => draw());
    panes.forEach((pane) => watcher.observe(pane.canvas));
    film.muted = true;
    film.src = "frames/" + data.id + ".mp4";

    return {
      node,
      seek,
      draw,
      setPlaying,
      isPlaying: () => playing,
      setSpeed: () => {
        film.playbackRate = model.speed;
      },
      showTruth: (on) => {
        if (panes[1]) panes[1].node.hidden = !on;
        draw();
      },
      leave: function () {
        gone = true;
        watcher.disconnect();
        film.pause();
        film.removeAttribute("src");
        film.load();
      },
    };
  };
})();
