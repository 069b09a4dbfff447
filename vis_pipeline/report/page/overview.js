// The first page: the split at a glance, and its videos.
"use strict";

(function () {
  const element = Report.element,
    fixed = Report.fixed,
    counted = Report.counted;

  const KINDS = {
    missed: "ground truth that no track finds",
    duplicate: "the object has a better-scored track already",
    "wrong class": "right masks, wrong class",
    "poor mask": "the right object in poor masks, or in too few or too many frames",
    "identity switch": "lies on two objects or more",
    "broken track": "one of several tracks that share out one object",
    "false positive": "nothing is there",
    "loose mask": "right at IoU 0.5, wrong at stricter ones",
  };
  const FRAME_KINDS = { switches: "switches", missed: "missed masks", false: "false masks" };

  function tile(value, label, title) {
    return element(
      "div",
      { class: "tile", title: title },
      element("span", { class: "value" }, value),
      element("span", { class: "label" }, label),
    );
  }

  function card(title, ...content) {
    return element("section", { class: "card" }, element("h2", {}, title), ...content);
  }

  function bar(share, className) {
    const made = element("span", { class: "bar " + (className || "") });
    made.style.width = Math.max(0, Math.min(1, share)) * 100 + "%";
    return made;
  }

  function note(text) {
    return element("p", { class: "note" }, text);
  }

  function number(count, one, many) {
    return tile(count.toLocaleString("en"), count === 1 ? one : many || one + "s");
  }

  function tiles(index) {
    const found = element("div", { class: index.figures ? "tiles" : "tiles few" });
    if (index.figures) {
      for (const name of ["AP", "AP50", "AP75", "AR1", "AR10"]) found.append(tile(fixed(index.figures[name]), name));
      const frames = index.frame_figures;
      found.append(
        tile(fixed(frames.IDF1), "IDF1", "of all masks, whatever their class; IoU 0.5"),
        tile(fixed(frames.MOTSA), "MOTSA", "of all masks, whatever their class; IoU 0.5"),
        tile(frames.switches.toLocaleString("en"), "switches", "of identity, frame by frame, as CLEAR counts them"),
      );
    } else {
      const scores = index.videos.filter((video) => video.tracks);
      const sum = scores.reduce((total, video) => total + video.score * video.tracks, 0);
      found.append(
        number(index.videos.length, "video"),
        number(index.frames, "frame"),
        number(index.tracks, "track"),
        number(index.classes.length, "class", "classes"),
        tile(fixed(index.tracks ? sum / index.tracks : null, 2), "mean score"),
      );
    }
    return found;
  }

  function sizes(figures) {
    const head = element("tr", {}, element("th", {}, ""), ...["AP", "AR"].map((name) => element("th", {}, name)));
    const table = element("table", { class: "plain" }, element("thead", {}, head));
    const body = element("tbody", {});
    [
      ["all", "AP", "AR10"],
      ["small", "APs", "ARs"],
      ["medium", "APm", "ARm"],
      ["large", "APl", "ARl"],
    ].forEach(function (row) {
      body.append(
        element(
          "tr",
          {},
          element("th", { scope: "row" }, row[0]),
          element("td", {}, fixed(figures[row[1]])),
          element("td", {}, fixed(figures[row[2]])),
        ),
      );
    });
    table.append(body);
    const found = card(
      "By size",
      table,
      note("Small is up to 128², medium up to 256² pixels. AR has 10 tracks a video, by size 100. – : no such object."),
    );
    found.classList.add("sizes");
    return found;
  }

  function classes(index) {
    const list = element("ul", { class: "bars classes" });
    const most = Math.max(1, ...index.classes.map((one) => one.tracks));
    index.classes.forEach(function (one) {
      const row = element("li", {}, Report.name(Report.className(one.id)));
      const bed = element("span", { class: "bed" });
      if (index.figures) {
        if (one.AP50 !== null) bed.append(bar(one.AP50, "light"));
        if (one.AP !== null) bed.append(bar(one.AP));
        row.append(
          bed,
          element("b", {}, fixed(one.AP)),
          element("span", { class: "faint" }, one.tracks + " / " + one.truths),
        );
      } else {
        bed.append(bar(one.tracks / most));
        row.append(bed, element("b", {}, String(one.tracks)), element("span", { class: "faint" }, fixed(one.score, 2)));
      }
      list.append(row);
    });
    return index.figures
      ? card("AP by class", list, note("Pale: AP50. On the right tracks / ground truths."))
      : card("Tracks by class", list, note("On the right their number and mean score."));
  }

  function errors(index) {
    const list = element("ul", { class: "bars errors" });
    const most = Math.max(0.01, ...index.errors.map((error) => error.dAP));
    index.errors
      .slice()
      .sort((one, other) => other.dAP - one.dAP)
      .forEach(function (error) {
        list.append(
          element(
            "li",
            { title: KINDS[error.kind] },
            element("span", {}, error.kind),
            element("span", { class: "bed" }, bar(error.dAP / most, "wrong")),
            element("b", {}, fixed(error.dAP)),
            element("span", { class: "faint" }, error.count + "×"),
          ),
        );
      });
    const found = card(
      "What errors cost",
      list,
      note("Rise of AP if this kind alone were put right, and how many tracks are of it (missed: ground truths)."),
    );
    if (index.confusions.length) {
      const taken = element("ul", { class: "confusions" });
      index.confusions.forEach(function (entry) {
        taken.append(
          element(
            "li",
            {},
            Report.name(entry[0]),
            " taken for ",
            Report.name(entry[1]),
            element("span", { class: "faint" }, " " + entry[2] + "×"),
          ),
        );
      });
      found.append(element("h3", {}, "Confused classes"), taken);
    }
    return found;
  }

  // The list's columns: key, heading, value to sort by, text, and whether the highest come first.
  function columns(index) {
    const found = [["name", "video", (video) => video.name, null, false]];
    if (index.figures) {
      found.push(
        ["cost", "cost in AP", (video) => video.cost, (video) => fixed(video.cost), true],
        ["AP", "AP", (video) => video.AP, (video) => fixed(video.AP), false],
        ["missed", "missed", (video) => video.counts.missed, (video) => String(video.counts.missed), true],
        ["false", "false", (video) => video.counts.false, (video) => String(video.counts.false), true],
        ["switches", "switches", (video) => video.counts.switches, (video) => String(video.counts.switches), true],
      );
    } else {
      found.push(["score", "mean score", (video) => video.score, (video) => fixed(video.score, 2), false]);
    }
    found.push(
      ["tracks", "tracks", (video) => video.tracks, (video) => String(video.tracks), true],
      ["frames", "frames", (video) => video.frames, (video) => String(video.frames), true],
    );
    return found;
  }

  function option(value, text) {
    return element("option", { value: value }, text);
  }

  function videos(index) {
    const shown = { text: "", class: "", kind: "", key: index.figures ? "cost" : "", down: true };
    const body = element("tbody", {});
    const count = element("span", { class: "faint", role: "status" });
    const table = columns(index);
    const heads = new Map();

    const rows = new Map(
      index.videos.map(function (video) {
        const link = element("a", { href: "#video=" + video.id }, Report.name(video.name));
        const about = element("span", { class: "faint" }, "id " + video.id);
        if (video.lost) about.append(element("span", { class: "bad" }, " · " + counted(video.lost, "frame") + " lost"));
        const picture = element("img", {
          src: "pictures/" + video.id + ".jpg",
          loading: "lazy",
          decoding: "async",
          alt: "",
          width: 120,
          height: 68,
        });
        const row = element(
          "tr",
          {},
          element("td", { class: "picture" }, element("a", { href: "#video=" + video.id, tabindex: -1 }, picture)),
          element("td", { class: "about" }, link, about),
          ...table.slice(1).map((column) => element("td", { class: "number" }, column[3](video))),
        );
        return [video.id, row];
      }),
    );

    function fits(video) {
      if (shown.text && !video.name.toLowerCase().includes(shown.text) && !video.id.includes(shown.text)) return false;
      if (shown.class && !video.classes.includes(shown.class)) return false;
      if (!shown.kind) return true;
      return FRAME_KINDS[shown.kind] ? video.counts[shown.kind] > 0 : (video.kinds[shown.kind] || 0) > 0;
    }

    function update() {
      const column = table.find((each) => each[0] === shown.key);
      const found = index.videos.filter(fits);
      if (column) {
        const sign = shown.down ? -1 : 1;
        found.sort(function (one, other) {
          const first = column[2](one),
            second = column[2](other);
          if (first === null || second === null) return (first === null) - (second === null);
          return sign * (typeof first === "string" ? first.localeCompare(second) : first - second);
        });
      }
      body.replaceChildren(...found.map((video) => rows.get(video.id)));
      count.textContent =
        found.length === index.videos.length
          ? counted(found.length, "video")
          : found.length + " of " + counted(index.videos.length, "video");
      heads.forEach((head, key) =>
        head.setAttribute("aria-sort", key !== shown.key ? "none" : shown.down ? "descending" : "ascending"),
      );
      Report.videoOrder = found.map((video) => video.id);
    }

    const head = element("tr", {}, element("th", {}, element("span", { class: "unseen" }, "picture")));
    table.forEach(function (column) {
      const button = element(
        "button",
        {
          type: "button",
          onclick: function () {
            shown.down = shown.key === column[0] ? !shown.down : column[4];
            shown.key = column[0];
            update();
          },
        },
        column[1],
      );
      const cell = element("th", { class: column[0] === "name" ? "" : "number", scope: "col" }, button);
      heads.set(column[0], cell);
      head.append(cell);
    });

    const used = new Set(index.videos.flatMap((video) => video.classes));
    const classChoice = element(
      "select",
      {
        "aria-label": "class",
        onchange: (event) => {
          shown.class = event.target.value;
          update();
        },
      },
      option("", "all classes"),
    );
    [...used]
      .sort((one, other) => Report.className(one).localeCompare(Report.className(other)))
      .forEach((id) => classChoice.append(option(id, Report.className(id))));
    const filters = element(
      "div",
      { class: "filters" },
      element("input", {
        type: "search",
        placeholder: "name or id",
        "aria-label": "name or id",
        oninput: (event) => {
          shown.text = event.target.value.trim().toLowerCase();
          update();
        },
      }),
      classChoice,
    );
    if (index.figures) {
      const kinds = element(
        "select",
        {
          "aria-label": "kind of error",
          onchange: (event) => {
            shown.kind = event.target.value;
            update();
          },
        },
        option("", "all errors"),
      );
      Object.keys(FRAME_KINDS).forEach((kind) => kinds.append(option(kind, FRAME_KINDS[kind])));
      Object.keys(KINDS).forEach((kind) => kinds.append(option(kind, kind)));
      filters.append(kinds);
    }
    filters.append(count);
    update();
    return element(
      "section",
      { class: "card videos" },
      element("h2", {}, index.figures ? "Videos, worst first" : "Videos"),
      filters,
      element("div", { class: "scroll" }, element("table", { class: "list" }, element("thead", {}, head), body)),
      index.figures
        ? note(
            "Cost: how far AP would rise were nothing wrong in this video. Missed and false are masks, " +
              "matched frame by frame within a class at IoU 0.5, as CLEAR does.",
          )
        : null,
    );
  }

  Report.kindMeanings = KINDS;

  Report.showOverview = function (place) {
    const index = Report.index;
    if (place.childElementCount) return;
    if (index.unfinished) {
      place.append(
        element(
          "p",
          { class: "banner" },
          counted(index.unfinished, "video") +
            (index.unfinished === 1 ? " is" : " are") +
            " not finished: figures are those of the others alone.",
        ),
      );
    }
    place.append(tiles(index));
    const grid = element("div", { class: "glance" });
    if (index.figures) grid.append(errors(index), classes(index), sizes(index.figures));
    else if (index.classes.length) grid.append(classes(index));
    place.append(grid, videos(index));
  };
})();
