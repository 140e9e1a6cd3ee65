# Map, filter, reduce: n passes over a list of 1000 numbers with functions
# that take functions and build new lists.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 6000


def mapped(items, transform):
    return [transform(item) for item in items]


def filtered(items, is_wanted):
    return [item for item in items if is_wanted(item)]


def reduced(items, combine, start):
    result = start
    for item in items:
        result = combine(result, item)
    return result


def one_pass(items, round):
    def scale(x):
        return x * round % 1009

    def is_small(x):
        return x < 500

    def add(a, b):
        return (a * 3 + b) % 1000003

    return reduced(filtered(mapped(items, scale), is_small), add, round)


def main():
    numbers = list(range(1, 1001))
    checksum = 0
    for round in range(1, n + 1):
        checksum = (checksum + one_pass(numbers, round)) % 1000003
    print(checksum)


main()
