// Fannkuch: for every permutation of 0 .. n-1 count how many prefix reversals
// bring 0 to the front; prints the alternating sum and the maximum.
"use strict";

const n = Number(process.argv[2] ?? 10);

function fannkuch(n) {
  const permutation = [];
  for (let i = 0; i < n; i++) permutation.push(i);
  const count = new Array(n).fill(0);
  let checksum = 0;
  let maxFlips = 0;
  let sign = 1;
  let r = n;
  while (true) {
    while (r > 1) {
      count[r - 1] = r;
      r--;
    }

    let flips = 0;
    const work = permutation.slice();
    let first = work[0];
    while (first !== 0) {
      let low = 0;
      let high = first;
      while (low < high) {
        const swap = work[low];
        work[low] = work[high];
        work[high] = swap;
        low++;
        high--;
      }
      flips++;
      first = work[0];
    }
    if (flips > maxFlips) maxFlips = flips;
    checksum += sign * flips;
    sign = -sign;

    // Rotate ever longer prefixes until one has a rotation left.
    while (true) {
      if (r === n) {
        console.log(checksum);
        console.log(maxFlips);
        return;
      }
      first = permutation[0];
      for (let i = 0; i < r; i++) {
        permutation[i] = permutation[i + 1];
      }
      permutation[r] = first;
      count[r]--;
      if (count[r] > 0) break;
      r++;
    }
  }
}

fannkuch(n);
