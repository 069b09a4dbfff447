// Corrections by clicks: a list that `vis-pipeline edit` applies to the run.
"use strict";

(function () {
  const KEY = "vis-report-edits:";
  let list = [];
  let listener = () => {};

  function key() {
    return KEY + Report.index.hash + ":" + Report.index.made;
  }

  function changed() {
    Report.kept.set(key(), JSON.stringify(list));
    listener();
  }

  function tracksOf(edit) {
    return edit.op === "join" ? edit.tracks : [edit.track];
  }

  // Ids are text here and numbers there; they go over as they are, for a browser's numbers end at 2^53.
  function entry(edit) {
    const parts = ['"op": ' + JSON.stringify(edit.op), '"video": ' + edit.video];
    if (edit.op === "join") {
      parts.push('"tracks": [' + edit.tracks.join(", ") + "]");
      if (edit.parts) parts.push('"parts": [' + edit.parts.join(", ") + "]");
    } else {
      parts.push('"track": ' + edit.track);
      if (edit.part) parts.push('"part": ' + edit.part);
    }
    if (edit.op === "split") parts.push('"frame": ' + edit.frame);
    if (edit.op === "rename") parts.push('"category": ' + edit.category);
    return "    {" + parts.join(", ") + "}";
  }

  Report.edits = {
    begin: function () {
      try {
        const stored = JSON.parse(Report.kept.get(key()) || "[]");
        list = Array.isArray(stored) ? stored : [];
      } catch (damaged) {
        list = [];
      }
    },
    all: () => list,
    of: (video) => list.filter((edit) => edit.video === video),
    add: function (edits) {
      list.push(...edits);
      changed();
    },
    // With an edit those go that come after it and are about the same tracks: they may mean what it has made.
    remove: function (index) {
      const gone = list[index],
        touched = new Set(tracksOf(gone));
      list = list.filter(function (edit, place) {
        if (place < index || edit.video !== gone.video) return true;
        if (place > index && !tracksOf(edit).some((track) => touched.has(track))) return true;
        tracksOf(edit).forEach((track) => touched.add(track));
        return false;
      });
      changed();
    },
    // The page in sight is told, and no other.
    onChange: (call) => {
      listener = call;
    },
    text: () =>
      '{\n  "run": ' +
      JSON.stringify(Report.index.hash) +
      ',\n  "edits": [' +
      (list.length ? "\n" + list.map(entry).join(",\n") + "\n  " : "") +
      "]\n}\n",
    download: function () {
      const address = URL.createObjectURL(new Blob([Report.edits.text()], { type: "application/json" }));
      const link = Report.element("a", { href: address, download: "edits.json" });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    },
  };
})();
