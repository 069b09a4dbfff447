// Elements whose text is only ever text: names from the data go through here.
"use strict";
var Report = {};

(function () {
  // element("a", {class: "x", href: "#"}, "text", another): attributes, `on...` listeners, then children.
  function element(tag, attributes) {
    const made = document.createElement(tag);
    for (const name of Object.keys(attributes || {})) {
      const value = attributes[name];
      if (typeof value === "function") made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
    }
    for (const child of Array.prototype.slice.call(arguments, 2)) {
      if (child !== null && child !== undefined) made.append(child);
    }
    return made;
  }

  // A name from the data: it keeps its own direction and does not turn what stands beside it.
  function name(text) {
    return element("bdi", { class: "name", title: text }, text === "" ? "(no name)" : text);
  }

  // The same where no element can be: between signs that keep its direction to itself.
  function isolated(text) {
    return "\u2068" + text + "\u2069";
  }

  const SHAPES = {
    play: "M4 2l10 6-10 6z",
    pause: "M4 2h3v12H4zM9 2h3v12H9z",
    back: "M11 2L4 8l7 6z",
    on: "M5 2l7 6-7 6z",
    errorBack: "M14 2L7 8l7 6zM3 2h2v12H3z",
    errorOn: "M2 2l7 6-7 6zM11 2h2v12h-2z",
  };

  function icon(shape) {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("viewBox", "0 0 16 16");
    picture.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", SHAPES[shape]);
    picture.append(path);
    return picture;
  }

  function fixed(value, digits) {
    return value === null || value === undefined
      ? "–"
      : value.toFixed(digits === undefined ? 3 : digits).replace("-", "−");
  }

  // "1 track", "2 tracks".
  function counted(count, word) {
    return count.toLocaleString("en") + " " + word + (count === 1 ? "" : "s");
  }

  // A colour of the theme in force, for a canvas, which knows no custom properties.
  function themed(property) {
    const style = document.body.style;
    style.outlineColor = "var(" + property + ")";
    return getComputedStyle(document.body).outlineColor;
  }

  // Storage is refused to pages from the disk by some browsers; then nothing is kept.
  const kept = {
    get: function (key) {
      try {
        return window.localStorage.getItem(key);
      } catch (refused) {
        return null;
      }
    },
    set: function (key, value) {
      try {
        window.localStorage.setItem(key, value);
      } catch (refused) {
        /* not kept */
      }
    },
  };

  Object.assign(Report, { element, name, isolated, icon, fixed, counted, themed, kept });
})();
