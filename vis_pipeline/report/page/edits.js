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

  // Ids are text here and numbers there; they go over as they are, for a browser's numbers end at 2^53.
  function entry(edit) {
    const parts = ['"op": ' + JSON.stringify(edit.op), '"video": ' + edit.video];
    if (edit.op === "join") parts.push('"tracks": [' + edit.tracks.join(", ") + "]");
    else parts.push('"track": ' + edit.track);
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
    add: function (edit) {
      list.push(edit);
      changed();
    },
    remove: function (index) {
      list.splice(index, 1);
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
