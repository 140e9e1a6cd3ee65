# Levenshtein distance of two strings of n letters, by dynamic programming
# with two rows.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 2800


def random_string(length, seed):
    letters = []
    for _ in range(length):
        seed = seed * 16807 % 2147483647
        letters.append("acgt"[seed % 4])
    return "".join(letters)


def distance(a, b):
    previous = list(range(len(b) + 1))
    current = [0] * (len(b) + 1)
    for i in range(1, len(a) + 1):
        current[0] = i
        for j in range(1, len(b) + 1):
            best = previous[j - 1]
            if a[i - 1] != b[j - 1]:
                best += 1
            if previous[j] + 1 < best:
                best = previous[j] + 1
            if current[j - 1] + 1 < best:
                best = current[j - 1] + 1
            current[j] = best
        previous, current = current, previous
    return previous[len(b)]


print(distance(random_string(n, 1), random_string(n, 2)))
