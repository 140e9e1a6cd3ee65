// Ackermann function, ack(3, n): deep recursion.
"use strict";

const n = Number(process.argv[2] ?? 9);

function ack(m, n) {
  if (m === 0) {
    return n + 1;
  } else if (n === 0) {
    return ack(m - 1, 1);
  } else {
    const inner = ack(m, n - 1);
    return ack(m - 1, inner);
  }
}

console.log(ack(3, n));
