// Higher-order functions: adders and multipliers made by functions, composed
// in pairs, composed again, and applied n times.
"use strict";

const n = Number(process.argv[2] ?? 6000000);

function makeAdder(amount) {
  return (x) => x + amount;
}

function makeMultiplier(factor) {
  return (x) => (x * factor) % 10007;
}

function compose(first, second) {
  return (x) => second(first(x));
}

const steps = [];
for (let i = 1; i <= 8; i++) {
  const linear = compose(makeMultiplier(i + 1), makeAdder(i));
  steps.push(compose(linear, makeMultiplier(i + 2)));
}

let value = 1;
let sum = 0;
for (let round = 1; round <= n; round++) {
  const step = steps[round % 8];
  value = step(value);
  sum = (sum + value) % 1000003;
}
console.log(value);
console.log(sum);
