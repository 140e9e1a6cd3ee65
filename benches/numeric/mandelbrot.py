# Mandelbrot set: iterate z = z*z + c for every point of an n x n grid,
# at most 50 times.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000


def mandelbrot(n):
    inside = 0
    steps = 0
    for row in range(n):
        ci = 2.0 * row / n - 1.0
        for column in range(n):
            cr = 2.0 * column / n - 1.5
            zr = zi = zr2 = zi2 = 0.0
            count = 0
            while count < 50 and zr2 + zi2 <= 4:
                zi = 2 * zr * zi + ci
                zr = zr2 - zi2 + cr
                zr2 = zr * zr
                zi2 = zi * zi
                count += 1
            steps += count
            if count == 50:
                inside += 1
    print(inside)
    print(steps)


mandelbrot(n)
