// Maps with number keys: count n random multiples of 37 in a map, then look for
// pairs of neighbours among the keys.
"use strict";

const n = Number(process.argv[2] ?? 3000000);

function countNumbers(n) {
  const counts = new Map();
  let seed = 1;
  for (let i = 0; i < n; i++) {
    seed = (seed * 16807) % 2147483647;
    const key = (seed % 1000003) * 37;
    if (counts.has(key)) {
      counts.set(key, counts.get(key) + 1);
    } else {
      counts.set(key, 1);
    }
  }
  return counts;
}

const counts = countNumbers(n);
let pairs = 0;
let highest = 0;
for (const key of counts.keys()) {
  if (counts.has(key + 37)) pairs++;
  if (counts.get(key) > highest) highest = counts.get(key);
}
console.log(counts.size);
console.log(pairs);
console.log(highest);
