// Fibonacci numbers by naive double recursion.
"use strict";

const n = Number(process.argv[2] ?? 35);

function fib(n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

console.log(fib(n));
