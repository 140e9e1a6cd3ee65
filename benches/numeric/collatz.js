// Collatz problem: the start below n with the longest chain.
"use strict";

const n = Number(process.argv[2] ?? 200000);

let longest = 0;
let best = 0;
for (let start = 1; start < n; start++) {
  let value = start;
  let length = 1;
  while (value !== 1) {
    if (value % 2 === 0) {
      value = value / 2;
    } else {
      value = 3 * value + 1;
    }
    length++;
  }
  if (length > longest) {
    longest = length;
    best = start;
  }
}
console.log(best);
console.log(longest);
