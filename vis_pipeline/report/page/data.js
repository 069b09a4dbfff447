// Data come as scripts that call `visReport`: a page from the disk may load scripts, and read nothing else.
"use strict";

(function () {
  const MOST_KEPT = 4;
  const videos = new Map();
  const waiting = new Map();
  Report.index = null;

  window.visReport = function (content) {
    if (content.index) {
      Report.index = content.index;
      Report.classNames = new Map(content.index.categories);
    }
    if (content.video) {
      videos.set(content.video.id, content.video);
      if (videos.size > MOST_KEPT) videos.delete(videos.keys().next().value);
    }
  };

  Report.className = function (id) {
    return Report.classNames.has(id) ? Report.classNames.get(id) : "class " + id;
  };

  // Calls `done` with the data of a video, or with null where there are none.
  Report.loadVideo = function (id, done) {
    if (videos.has(id)) return done(videos.get(id));
    if (waiting.has(id)) return waiting.get(id).push(done);
    waiting.set(id, [done]);
    const script = document.createElement("script");
    const finish = function () {
      const calls = waiting.get(id);
      waiting.delete(id);
      script.remove();
      calls.forEach((call) => call(videos.has(id) ? videos.get(id) : null));
    };
    script.addEventListener("load", finish);
    script.addEventListener("error", finish);
    script.src = "data/" + id + ".js";
    document.head.append(script);
  };
})();
