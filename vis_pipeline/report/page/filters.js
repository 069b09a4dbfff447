// What is above and below a video's timeline: the filters, and what its signs mean.
"use strict";

(function () {
  const element = Report.element;

  function choice(label, values, call) {
    const select = element("select", { "aria-label": label, onchange: (event) => call(event.target.value) });
    values.forEach((value) => select.append(element("option", { value: value[0] }, value[1])));
    return select;
  }

  // `changed` is called when another set of rows is to be shown.
  function filterBar(model, changed) {
    const data = model.data,
      all = model.entries("tracks").concat(model.entries("truths"));
    const count = element("span", { class: "faint", role: "status" });
    const set = (name) => (value) => {
      model.filters[name] = value;
      changed();
    };
    const ids = [...new Set(all.map((entry) => entry.category))];
    const score = element("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.01,
      value: model.filters.score,
      "aria-label": "least score",
      oninput: (event) => {
        shownScore.textContent = Number(event.target.value).toFixed(2);
        set("score")(Number(event.target.value));
      },
    });
    const shownScore = element("output", {}, Number(model.filters.score).toFixed(2));
    const length = element("input", {
      type: "number",
      min: 1,
      max: data.length,
      value: 1,
      "aria-label": "least length in frames",
      oninput: (event) => set("length")(Number(event.target.value) || 1),
    });
    const bar = element(
      "div",
      { class: "filters" },
      choice("class", [["", "all classes"]].concat(ids.map((id) => [id, Report.className(id)])), set("class")),
      element("label", {}, "score ≥ ", score, shownScore),
      element("label", {}, "frames ≥ ", length),
    );
    if (data.errors) {
      const kinds = Report.frameKinds.concat([...new Set(all.map((entry) => entry.kind).filter(Boolean))].sort());
      bar.append(choice("kind of error", [["", "all errors"]].concat(kinds.map((kind) => [kind, kind])), set("kind")));
    }
    bar.append(count);
    return {
      node: bar,
      tell: function () {
        const listed = model.entries("tracks").filter((entry) => model.isListed("tracks", entry.index)).length;
        count.textContent =
          listed + " of " + Report.counted(data.tracks.length, "identity").replace("identitys", "identities");
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

  Object.assign(Report, { choice, filterBar, legend });
})();
