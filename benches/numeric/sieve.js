// Sieve of Eratosthenes: count and add up the primes up to n.
"use strict";

const n = Number(process.argv[2] ?? 10000000);

function sieve(n) {
  const isPrime = new Array(n + 1).fill(true);
  isPrime[0] = false;
  isPrime[1] = false;
  for (let i = 2; i * i <= n; i++) {
    if (isPrime[i]) {
      for (let multiple = i * i; multiple <= n; multiple += i) {
        isPrime[multiple] = false;
      }
    }
  }

  let count = 0;
  let sum = 0;
  for (let i = 2; i <= n; i++) {
    if (isPrime[i]) {
      count++;
      sum += i;
    }
  }
  console.log(count);
  console.log(sum);
}

sieve(n);
