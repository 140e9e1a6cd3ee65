# Nested loops: a while loop around two counting loops with a little
# arithmetic on whole numbers in the middle.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 600


def loops(n):
    total = 0
    round = 0
    while round < n:
        for i in range(1, 301):
            for j in range(1, 601, 2):
                total = (total + i * j + round) % 1000003
        round += 1
    return total


print(loops(n))
