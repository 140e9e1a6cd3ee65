# Heat equation: n sweeps of a five-point stencil over a 100 x 100 plate whose
# upper edge is kept hot (Jacobi iteration with two grids).

import math
import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 1500

SIZE = 100


def make_plate():
    plate = []
    for y in range(SIZE):
        plate.append([0] * SIZE)
    plate[0] = [100] * SIZE
    return plate


def sweep(source, target):
    for y in range(1, SIZE - 1):
        above = source[y - 1]
        row = source[y]
        below = source[y + 1]
        result = target[y]
        for x in range(1, SIZE - 1):
            result[x] = row[x] + 0.2 * (above[x] + below[x] + row[x - 1] + row[x + 1] - 4 * row[x])


def main():
    current = make_plate()
    following = make_plate()
    for _ in range(n):
        sweep(current, following)
        current, following = following, current

    total = 0
    for row in current:
        for temperature in row:
            total += temperature
    print(math.floor(total * 1000000))
    print(math.floor(current[5][50] * 1000000))


main()
