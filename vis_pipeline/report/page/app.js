// Which page is shown, the theme, and keys.
"use strict";

(function () {
  const root = document.documentElement;
  const overview = document.getElementById("overview"),
    video = document.getElementById("video");
  const message = document.getElementById("message"),
    keys = document.getElementById("keys");
  const theme = document.getElementById("theme");

  function say(text) {
    message.textContent = text;
    message.hidden = !text;
  }

  function dark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function setTheme(name) {
    if (name) root.dataset.theme = name;
    theme.textContent = dark() ? "Light" : "Dark";
    document.dispatchEvent(new Event("themechange"));
  }

  theme.addEventListener("click", function () {
    const name = dark() ? "light" : "dark";
    Report.kept.set("vis-report-theme", name);
    setTheme(name);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(""));
  const stored = Report.kept.get("vis-report-theme");
  setTheme(stored === "dark" || stored === "light" ? stored : "");

  document.getElementById("show-keys").addEventListener("click", () => keys.showModal());

  if (!Report.index) {
    say("data/index.js is missing beside this page: write the report again.");
    return;
  }
  document.getElementById("home").textContent = Report.index.title;
  const facts = Object.keys(Report.index.facts).map((name) => name + " " + Report.index.facts[name]);
  document.getElementById("facts").textContent = facts.concat(Report.index.made).join(" · ");
  Report.edits.begin();
  Report.showOverview(overview);

  function parameters() {
    const found = {};
    location.hash
      .slice(1)
      .split("&")
      .forEach(function (part) {
        const at = part.indexOf("=");
        if (at > 0) found[part.slice(0, at)] = part.slice(at + 1);
      });
    return found;
  }

  // The address names the frame, so that it can be passed on; going back still leaves the video. Browsers refuse to
  // change it often: it waits until the frame stays.
  let pending = 0;
  Report.remember = function (id, frame) {
    clearTimeout(pending);
    pending = setTimeout(function () {
      if (parameters().video !== id) return;
      try {
        history.replaceState(null, "", "#video=" + id + "&frame=" + frame);
      } catch (refused) {
        /* not named */
      }
    }, 400);
  };

  function route() {
    const wanted = parameters();
    const known = Report.index.videos.some((each) => each.id === wanted.video);
    say(wanted.video !== undefined && !known ? "This report has no video " + wanted.video + "." : "");
    overview.hidden = known;
    video.hidden = !known;
    if (known) {
      window.scrollTo(0, 0);
      Report.showVideo(video, wanted.video, { frame: Number(wanted.frame) || 0 }, say);
    } else {
      Report.leaveVideo();
      video.replaceChildren();
      document.title = Report.index.title;
    }
  }

  // After a click on a button or a box the keys belong to the frames again; who comes by the keyboard stays there.
  let byPointer = false;
  document.addEventListener(
    "pointerdown",
    () => {
      byPointer = true;
    },
    true,
  );
  document.addEventListener(
    "keydown",
    () => {
      byPointer = false;
    },
    true,
  );
  for (const kind of ["click", "change"]) {
    video.addEventListener(kind, function (event) {
      const used = event.target.closest(kind === "click" ? "button, input[type=checkbox]" : "select");
      if (byPointer && used) used.blur();
    });
  }

  window.addEventListener("hashchange", route);
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    const target = event.target.closest("input, select, textarea, button, summary, [role=slider]");
    const typing = target && target.matches("select, textarea, input:not([type=checkbox])");
    if (typing && event.key !== "Escape") return;
    if (event.key === " " && target && target.matches("button, summary, input")) return;
    if (event.key === "?") {
      keys.showModal();
      event.preventDefault();
    } else if (!video.hidden && Report.videoKey(event)) {
      event.preventDefault();
    }
  });
  route();
})();
