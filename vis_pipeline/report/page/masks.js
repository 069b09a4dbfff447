// Run-length masks: text as COCO compresses it, runs down the columns, beginning with background.
"use strict";

(function () {
  // Text to runs: signs of six bits with five bits of number each; from the fourth run on a number is the difference to
  // the run before last.
  function runs(text) {
    const found = [];
    let at = 0;
    while (at < text.length) {
      let value = 0,
        shift = 0,
        sign = 0;
      do {
        sign = text.charCodeAt(at++) - 48;
        value |= (sign & 31) << shift;
        shift += 5;
      } while (sign & 32);
      if (sign & 16 && shift < 32) value |= -1 << shift;
      if (found.length > 2) value += found[found.length - 2];
      found.push(value);
    }
    return found;
  }

  // A mask cut to its box: left, top, width, height and a byte for each pixel, row by row; null where it is empty.
  function decoded(text, height) {
    const lengths = runs(text);
    let left = Infinity,
      right = -1,
      top = Infinity,
      bottom = -1;
    let begin = 0;
    lengths.forEach(function (length, index) {
      const end = begin + length;
      if (index % 2 && length) {
        const first = Math.floor(begin / height),
          last = Math.floor((end - 1) / height);
        left = Math.min(left, first);
        right = Math.max(right, last);
        top = first === last ? Math.min(top, begin % height) : 0;
        bottom = first === last ? Math.max(bottom, (end - 1) % height) : height - 1;
      }
      begin = end;
    });
    if (right < 0) return null;
    const width = right - left + 1,
      rows = bottom - top + 1;
    const bits = new Uint8Array(width * rows);
    begin = 0;
    lengths.forEach(function (length, index) {
      if (index % 2) {
        for (let pixel = begin; pixel < begin + length; pixel++) {
          const x = Math.floor(pixel / height);
          bits[(pixel - x * height - top) * width + x - left] = 1;
        }
      }
      begin += length;
    });
    return { left: left, top: top, width: width, height: rows, bits: bits };
  }

  function has(mask, x, y) {
    const column = x - mask.left,
      row = y - mask.top;
    if (column < 0 || row < 0 || column >= mask.width || row >= mask.height) return false;
    return mask.bits[row * mask.width + column] === 1;
  }

  // The mask's outline along the edges of pixels, in pixels of the frame.
  function outline(mask) {
    const path = new Path2D();
    const w = mask.width,
      h = mask.height,
      bits = mask.bits;
    for (let y = 0; y <= h; y++) {
      let start = -1;
      for (let x = 0; x <= w; x++) {
        const edge = x < w && (y > 0 ? bits[(y - 1) * w + x] : 0) !== (y < h ? bits[y * w + x] : 0);
        if (edge && start < 0) start = x;
        if (!edge && start >= 0) {
          path.moveTo(mask.left + start, mask.top + y);
          path.lineTo(mask.left + x, mask.top + y);
          start = -1;
        }
      }
    }
    for (let x = 0; x <= w; x++) {
      let start = -1;
      for (let y = 0; y <= h; y++) {
        const edge = y < h && (x > 0 ? bits[y * w + x - 1] : 0) !== (x < w ? bits[y * w + x] : 0);
        if (edge && start < 0) start = y;
        if (!edge && start >= 0) {
          path.moveTo(mask.left + x, mask.top + start);
          path.lineTo(mask.left + x, mask.top + y);
          start = -1;
        }
      }
    }
    return path;
  }

  // The mask in a colour ("#rrggbb"), hatched where it is only predicted, as a canvas of the size of its box.
  function tinted(mask, colour, alpha, period) {
    const canvas = document.createElement("canvas");
    canvas.width = mask.width;
    canvas.height = mask.height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(mask.width, mask.height);
    const red = parseInt(colour.slice(1, 3), 16),
      green = parseInt(colour.slice(3, 5), 16);
    const blue = parseInt(colour.slice(5, 7), 16);
    for (let y = 0, at = 0; y < mask.height; y++) {
      for (let x = 0; x < mask.width; x++, at++) {
        if (!mask.bits[at]) continue;
        if (period && (x + mask.left + y + mask.top) % period >= period / 2) continue;
        image.data[4 * at] = red;
        image.data[4 * at + 1] = green;
        image.data[4 * at + 2] = blue;
        image.data[4 * at + 3] = alpha;
      }
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  Report.masks = { runs, decoded, has, outline, tinted };
})();
