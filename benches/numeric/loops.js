// Nested loops: a while loop around two counting loops with a little
// arithmetic on whole numbers in the middle.
"use strict";

const n = Number(process.argv[2] ?? 600);

let total = 0;
let round = 0;
while (round < n) {
  for (let i = 1; i <= 300; i++) {
    for (let j = 1; j <= 600; j += 2) {
      total = (total + i * j + round) % 1000003;
    }
  }
  round++;
}
console.log(total);
