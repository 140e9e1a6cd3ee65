# Ackermann function, ack(3, n): deep recursion.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 9

sys.setrecursionlimit(100000)


def ack(m, n):
    if m == 0:
        return n + 1
    elif n == 0:
        return ack(m - 1, 1)
    else:
        inner = ack(m, n - 1)
        return ack(m - 1, inner)


print(ack(3, n))
