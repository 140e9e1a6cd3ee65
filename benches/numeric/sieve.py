# Sieve of Eratosthenes: count and add up the primes up to n.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 10000000


def sieve(n):
    is_prime = [True] * (n + 1)
    is_prime[0] = False
    is_prime[1] = False
    i = 2
    while i * i <= n:
        if is_prime[i]:
            for multiple in range(i * i, n + 1, i):
                is_prime[multiple] = False
        i += 1

    count = 0
    total = 0
    for i in range(2, n + 1):
        if is_prime[i]:
            count += 1
            total += i
    print(count)
    print(total)


sieve(n)
