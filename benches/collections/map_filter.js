// Map, filter, reduce: n passes over a list of 1000 numbers with functions
// that take functions and build new lists.
"use strict";

const n = Number(process.argv[2] ?? 6000);

function mapped(items, transform) {
  const result = [];
  for (const item of items) {
    result.push(transform(item));
  }
  return result;
}

function filtered(items, isWanted) {
  const result = [];
  for (const item of items) {
    if (isWanted(item)) result.push(item);
  }
  return result;
}

function reduced(items, combine, start) {
  let result = start;
  for (const item of items) {
    result = combine(result, item);
  }
  return result;
}

function pass(items, round) {
  const scale = (x) => (x * round) % 1009;
  const isSmall = (x) => x < 500;
  const add = (a, b) => (a * 3 + b) % 1000003;
  return reduced(filtered(mapped(items, scale), isSmall), add, round);
}

const numbers = [];
for (let i = 1; i <= 1000; i++) numbers.push(i);
let checksum = 0;
for (let round = 1; round <= n; round++) {
  checksum = (checksum + pass(numbers, round)) % 1000003;
}
console.log(checksum);
