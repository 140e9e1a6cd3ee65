// Counters: closures that count in a variable of the function that made them;
// 100 of them, each called n times.
"use strict";

const n = Number(process.argv[2] ?? 80000);

function makeCounter(start, step) {
  let count = start;
  return () => {
    count = count + step;
    return count;
  };
}

const counters = [];
for (let i = 1; i <= 100; i++) {
  counters.push(makeCounter(i, (i % 7) + 1));
}

let checksum = 0;
for (let round = 1; round <= n; round++) {
  for (const counter of counters) {
    checksum = (checksum + counter()) % 1000003;
  }
}
console.log(checksum);
