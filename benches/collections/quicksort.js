// Quicksort, written by hand: sorts n random numbers in place around the
// middle element (Hoare's partition).
"use strict";

const n = Number(process.argv[2] ?? 1200000);

function quicksort(items, low, high) {
  const pivot = items[Math.floor((low + high) / 2)];
  let i = low;
  let j = high;
  while (i <= j) {
    while (items[i] < pivot) i++;
    while (items[j] > pivot) j--;
    if (i <= j) {
      const swap = items[i];
      items[i] = items[j];
      items[j] = swap;
      i++;
      j--;
    }
  }
  if (low < j) quicksort(items, low, j);
  if (i < high) quicksort(items, i, high);
}

const numbers = [];
let seed = 1;
for (let i = 0; i < n; i++) {
  seed = (seed * 16807) % 2147483647;
  numbers.push(seed);
}
quicksort(numbers, 0, n - 1);

let checksum = 0;
for (let i = 1; i < n; i++) {
  if (numbers[i] < numbers[i - 1]) console.log("wrong");
  checksum = (checksum * 31 + numbers[i]) % 1000003;
}
console.log(checksum);
