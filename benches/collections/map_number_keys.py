# Maps with number keys: count n random multiples of 37 in a map, then look for
# pairs of neighbours among the keys.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 3000000


def count_numbers(n):
    counts = {}
    seed = 1
    for _ in range(n):
        seed = seed * 16807 % 2147483647
        key = seed % 1000003 * 37
        if key in counts:
            counts[key] += 1
        else:
            counts[key] = 1
    return counts


def main():
    counts = count_numbers(n)
    pairs = 0
    highest = 0
    for key in counts:
        if key + 37 in counts:
            pairs += 1
        if counts[key] > highest:
            highest = counts[key]
    print(len(counts))
    print(pairs)
    print(highest)


main()
