// Permutations: visit all orders of 0 .. n-1 by recursion with swaps and add
// up a checksum of each.
"use strict";

const n = Number(process.argv[2] ?? 10);

function visit(items) {
  let sum = 0;
  for (let i = 0; i < items.length; i++) {
    sum = (sum * 3 + items[i]) % 1009;
  }
  return sum;
}

function permute(items, fixed) {
  if (fixed === items.length) return visit(items);
  let total = 0;
  for (let i = fixed; i < items.length; i++) {
    let swap = items[fixed];
    items[fixed] = items[i];
    items[i] = swap;
    total += permute(items, fixed + 1);
    swap = items[fixed];
    items[fixed] = items[i];
    items[i] = swap;
  }
  return total;
}

const items = [];
for (let i = 0; i < n; i++) items.push(i);
console.log(permute(items, 0));
