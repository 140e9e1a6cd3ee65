// Random numbers: a linear congruential generator (modulus 2^32) throws n
// darts at a square and counts those inside the quarter circle.
"use strict";

const n = Number(process.argv[2] ?? 7000000);

let seed = 42;
function random() {
  seed = (seed * 1664525 + 1013904223) % 4294967296;
  return seed / 4294967296;
}

function throwDarts(n) {
  let inside = 0;
  for (let i = 0; i < n; i++) {
    const x = random();
    const y = random();
    if (x * x + y * y < 1) inside++;
  }
  return inside;
}

console.log(throwDarts(n));
console.log(seed);
