# Random numbers: a linear congruential generator (modulus 2^32) throws n
# darts at a square and counts those inside the quarter circle.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 7000000

seed = 42


def random():
    global seed
    seed = (seed * 1664525 + 1013904223) % 4294967296
    return seed / 4294967296


def throw_darts(n):
    inside = 0
    for _ in range(n):
        x = random()
        y = random()
        if x * x + y * y < 1:
            inside += 1
    return inside


print(throw_darts(n))
print(seed)
