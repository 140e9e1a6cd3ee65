// Built-in sorting of n random numbers, n strings and n records by a key.
"use strict";

const n = Number(process.argv[2] ?? 250000);

function randomNumbers(n, seed) {
  const numbers = [];
  for (let i = 0; i < n; i++) {
    seed = (seed * 16807) % 2147483647;
    numbers.push(seed);
  }
  return numbers;
}

const numbers = randomNumbers(n, 1);
numbers.sort((a, b) => a - b);
let checksum = 0;
for (let i = 0; i < n; i++) {
  checksum = (checksum + (numbers[i] % 1000) * i) % 1000003;
}
console.log(checksum);

const words = [];
for (const number of randomNumbers(n, 2)) {
  words.push("w" + number);
}
words.sort();
checksum = 0;
for (let i = 0; i < n; i++) {
  checksum = (checksum + words[i].length * i) % 1000003;
}
console.log(`${words[0]} ${words[n - 1]} ${checksum}`);

const records = [];
for (const number of randomNumbers(n, 3)) {
  records.push({ id: records.length, rank: number });
}
records.sort((a, b) => a.rank - b.rank);
checksum = 0;
for (let i = 0; i < n; i++) {
  checksum = (checksum + records[i].id * i) % 1000003;
}
console.log(checksum);
