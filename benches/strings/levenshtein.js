// Levenshtein distance of two strings of n letters, by dynamic programming
// with two rows.
"use strict";

const n = Number(process.argv[2] ?? 2800);

function randomString(length, seed) {
  const letters = [];
  for (let i = 0; i < length; i++) {
    seed = (seed * 16807) % 2147483647;
    letters.push("acgt"[seed % 4]);
  }
  return letters.join("");
}

function distance(a, b) {
  let previous = [];
  for (let j = 0; j <= b.length; j++) previous.push(j);
  let current = new Array(b.length + 1).fill(0);
  for (let i = 1; i <= a.length; i++) {
    current[0] = i;
    for (let j = 1; j <= b.length; j++) {
      let best = previous[j - 1];
      if (a[i - 1] !== b[j - 1]) best++;
      if (previous[j] + 1 < best) best = previous[j] + 1;
      if (current[j - 1] + 1 < best) best = current[j - 1] + 1;
      current[j] = best;
    }
    [previous, current] = [current, previous];
  }
  return previous[b.length];
}

console.log(distance(randomString(n, 1), randomString(n, 2)));
