// What edits have made of a video's tracks so far, so that every further edit is one that `vis-pipeline edit` takes.
"use strict";

(function () {
  // A piece is a track (its index) or what splits cut off it: part 1 by its first split, 2 by its second.
  Report.pieces = function (data, edits) {
    const pieces = data.tracks.map((track, index) => ({
      track: index,
      part: 0,
      category: track.category,
      gone: false,
      shows: track.masks.map((mask) => mask !== null),
    }));
    // Which piece has each frame of each track.
    const owners = data.tracks.map((track, index) => track.masks.map(() => pieces[index]));

    const find = (track, part) => pieces.find((piece) => piece.track === track && piece.part === part);
    const each = (call) =>
      owners.forEach((row) =>
        row.forEach((owner, frame) => {
          row[frame] = call(owner, frame);
        }),
      );

    function apply(edit) {
      if (edit.op === "join") {
        const joined = edit.tracks.map((track, place) => find(track, edit.parts ? edit.parts[place] : 0));
        joined.slice(1).forEach((piece) => {
          piece.gone = true;
          piece.shows.forEach((shown, frame) => {
            joined[0].shows[frame] = joined[0].shows[frame] || shown;
          });
        });
        each((owner) => (joined.includes(owner) ? joined[0] : owner));
        return;
      }
      const piece = find(edit.track, edit.part || 0);
      if (edit.op === "delete") piece.gone = true;
      if (edit.op === "rename") piece.category = edit.category;
      if (edit.op === "split") {
        const later = Object.assign({}, piece, {
          part: pieces.filter((other) => other.track === edit.track).length,
          shows: piece.shows.map((shown, frame) => shown && frame >= edit.frame),
        });
        piece.shows = piece.shows.map((shown, frame) => shown && frame < edit.frame);
        pieces.push(later);
        each((owner, frame) => (owner === piece && frame >= edit.frame ? later : owner));
      }
    }

    edits.forEach(apply);
    return {
      left: () => pieces.filter((piece) => !piece.gone),
      at: (track, frame) => owners[track][frame],
      nextPart: (track) => pieces.filter((piece) => piece.track === track).length,
      canSplit: (piece, frame) =>
        !piece.gone && piece.shows.slice(0, frame).includes(true) && piece.shows.slice(frame).includes(true),
    };
  };
})();
