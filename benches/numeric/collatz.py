# Collatz problem: the start below n with the longest chain.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 200000


def collatz(n):
    longest = 0
    best = 0
    for start in range(1, n):
        value = start
        length = 1
        while value != 1:
            if value % 2 == 0:
                value = value // 2
            else:
                value = 3 * value + 1
            length += 1
        if length > longest:
            longest = length
            best = start
    print(best)
    print(longest)


collatz(n)
