# Spectral norm: power iteration on the infinite matrix
# a(i, j) = 1 / ((i + j) * (i + j + 1) / 2 + i + 1), cut to n x n.

import math
import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 600


def a(i, j):
    return 1 / ((i + j) * (i + j + 1) / 2 + i + 1)


def multiply_a(v, result):
    size = len(v)
    for i in range(size):
        total = 0
        for j in range(size):
            total += a(i, j) * v[j]
        result[i] = total


def multiply_transposed(v, result):
    size = len(v)
    for i in range(size):
        total = 0
        for j in range(size):
            total += a(j, i) * v[j]
        result[i] = total


def spectral_norm(n):
    u = [1] * n
    v = [0] * n
    temporary = [0] * n
    for _ in range(10):
        multiply_a(u, temporary)
        multiply_transposed(temporary, v)
        multiply_a(v, temporary)
        multiply_transposed(temporary, u)
    uv = 0
    vv = 0
    for i in range(n):
        uv += u[i] * v[i]
        vv += v[i] * v[i]
    return math.sqrt(uv / vv)


print(math.floor(spectral_norm(n) * 1000000000))
